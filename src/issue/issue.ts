/** The nouns of an issue as its editor wrote it. Plain data; the text in them is Markdown. */

/** The folder's name: `^[a-z0-9][a-z0-9-]{0,63}$`. */
export type IssueId = string;

export interface Issue {
  id: IssueId;
  title: string;
  /** The slot it is for, `YYYY-MM-DD`. */
  date: string;
  /** BCP 47, e.g. `zh-CN`. */
  language: string;
  /** Absent: the title. */
  subject?: string;
  /** Absent: the leading headlines. */
  preheader?: string;
  approved?: Approval;
  /** Markdown before the first section; may be empty. */
  opening: string;
  sections: Section[];
}

export interface Section {
  /** Written as `{#id}`, found by name in sections.yaml, or derived. Unique in the issue. */
  id: string;
  /** Empty only for items that stand before the first `##`. */
  name: string;
  held: boolean;
  ad: boolean;
  /** Markdown between the section's heading and its first item; may be empty. */
  prose: string;
  items: Item[];
  /** Line of the heading in the file, from 1. */
  line: number;
}

export interface Item {
  /** Unique in the issue. */
  id: string;
  headline: string;
  /** Shown large, in its place. */
  lead: boolean;
  /** Stays in the file, is not sent. */
  held: boolean;
  /** Labelled as advertisement, never ranked. */
  ad: boolean;
  /** Markdown, without the source line. */
  body: string;
  /** A last paragraph that holds nothing but links: where the story comes from. */
  links: Link[];
  line: number;
}

export interface Link {
  text: string;
  url: string;
}

export interface Approval {
  by: string;
  /** ISO 8601 with offset. */
  at: string;
  /** `sha256:<hex>` over text, template, audience rule and sender. */
  hash: string;
}
