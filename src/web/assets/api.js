// Requests to the studio's own server.

/** @typedef {{ message: string, file?: string, line?: number, column?: number, hint?: string, excerpt?: { from: number, lines: string[] } }} Problem */

/** What the server says is wrong. */
export class Refused extends Error {
  /** @param {{ code?: string, problems?: Problem[] }} answer */
  constructor({ code = 'error', problems = [] }) {
    super(problems.map(({ message }) => message).join('\n') || code);
    this.code = code;
    this.problems = problems.length > 0 ? problems : [{ message: code }];
  }
}

/** @param {string} path @returns {Promise<any>} @throws {Refused} */
export function get(path) {
  return ask(path, {});
}

/** @param {string} path @param {object} body @returns {Promise<any>} @throws {Refused} */
export function post(path, body = {}) {
  const headers = { 'Content-Type': 'application/json' };
  return ask(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** @param {string} path @param {RequestInit} options */
async function ask(path, options) {
  const response = await fetch(path, options);
  const text = await response.text();
  if (response.ok) return text ? JSON.parse(text) : {};
  try {
    throw new Refused(JSON.parse(text));
  } catch (error) {
    throw error instanceof Refused ? error : new Refused({ problems: [{ message: text }] });
  }
}

/**
 * Server-sent events.
 * @param {string} path
 * @param {Record<string, (data: any) => void>} listeners
 * @returns {() => void} what ends it
 */
export function listen(path, listeners) {
  const source = new EventSource(path);
  for (const [name, listener] of Object.entries(listeners))
    source.addEventListener(name, (event) => listener(JSON.parse(event.data)));
  return () => source.close();
}
