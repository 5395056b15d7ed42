/** The newsletter as its files are at this moment: watched, and read again when they change. */
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../config/settings.ts';
import type { Newsletter } from '../../newsletter/newsletter.ts';
import { type Preview, preview } from '../../newsletter/preview.ts';

/**
 * Files that change together are told together, ms: what a save does in several steps takes a few milliseconds.
 * Who is slower is told twice, and the second time is right.
 */
const DEBOUNCE = 10;
/** Previews that are kept until a file changes: one issue, seen in several ways by a few readers. */
const KEPT = 12;
const WATCHED = ['issues', 'templates', 'config'];

export interface Live {
  dir: string;
  /** With the settings as they are now. @throws BroadsheetError `settings-invalid` */
  newsletter(): Newsletter;
  /** Composed once for all that show it. @throws as `preview` */
  preview(issue: string, reader?: string): Promise<Preview>;
  /** Calls once for each burst of changes. @returns what ends it */
  listen(listener: () => void): () => void;
  /** How many listen. */
  listeners(): number;
  close(): void;
}

/** @param readSettings reads them anew; absent: they stay as they were opened */
export function openLive(newsletter: Newsletter, readSettings?: () => Settings): Live {
  const listeners = new Set<() => void>();
  let current: Newsletter | undefined = newsletter;
  const previews = new Map<string, Promise<Preview>>();
  const live: Live = {
    dir: newsletter.dir,
    newsletter() {
      current ??= readSettings ? { ...newsletter, settings: readSettings() } : newsletter;
      return current;
    },
    preview(issue, reader) {
      const key = JSON.stringify([issue, reader]);
      const known = previews.get(key);
      if (known) return known;
      if (previews.size >= KEPT) previews.clear();
      const made = Promise.resolve().then(() => preview(live.newsletter(), issue, reader));
      previews.set(key, made);
      return made;
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    listeners: () => listeners.size,
    close: watchFiles(newsletter.dir, (files) => {
      if (files.some((file) => file.startsWith('config'))) current = undefined;
      previews.clear();
      for (const listener of listeners) listener();
    }),
  };
  return live;
}

/** @returns what ends it */
function watchFiles(dir: string, changed: (files: readonly string[]) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  let files: string[] = [];
  const note = (file: string) => {
    files.push(file);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const burst = files;
      files = [];
      changed(burst);
    }, DEBOUNCE);
  };
  const watchers: FSWatcher[] = WATCHED.filter((folder) => existsSync(join(dir, folder))).map(
    (folder) =>
      watch(join(dir, folder), { recursive: true }, (_, file) => note(join(folder, file ?? ''))).on(
        'error',
        () => {},
      ),
  );
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}
