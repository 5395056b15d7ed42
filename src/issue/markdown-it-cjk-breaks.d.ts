declare module 'markdown-it-cjk-breaks' {
  import type { MarkdownIt } from 'markdown-it';
  /** Drops the space that a line break between two East Asian characters would become. */
  export default function cjkBreaks(md: MarkdownIt): void;
}
