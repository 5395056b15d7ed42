/** The links of a mail that can be counted: those of its text, as they stand in its HTML. */

const LINK = /(<a\b[^>]*?\shref=")(https?:\/\/[^"]*)(")/gi;

/** Where they lead, each once, in the order of the mail. */
export function linkTargets(html: string): string[] {
  return [...new Set([...html.matchAll(LINK)].map(([, , url = '']) => plain(url)))];
}

/** The same HTML, each of these links leading where `of` says; nothing else changes. */
export function redirected(html: string, of: (target: string) => string): string {
  return html.replace(
    LINK,
    (_, before: string, url: string, after: string) => before + marked(of(plain(url))) + after,
  );
}

/** What a serialised attribute stands for. */
function plain(attribute: string): string {
  return attribute
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

function marked(url: string): string {
  return url.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
}
