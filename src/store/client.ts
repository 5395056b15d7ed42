/** A connection to PostgreSQL on which waiting is saved: for the planner, and for answers that nobody looks at. */
import pg from 'pg';

/** Begins a statement whose answer nobody looks at: see `along` in dialect.ts. */
const ALONG = '/* along */ ';

/** A statement that comes so often on one connection is prepared: PostgreSQL then parses and plans it once. */
const OFTEN = 3;
/** Texts that are counted on a connection at most; lists written out in full make ever new ones. */
const TEXTS = 500;

/** There is nothing to plan about them. */
const UNPLANNED = ['begin', 'commit', 'rollback'];

/** What the query builder makes of a result that has nothing in it. */
const NOTHING = { command: '', rowCount: 0, rows: [] };

export class Client extends pg.Client {
  readonly #seen = new Map<string, number>();
  #along: Promise<unknown>[] = [];

  constructor(config?: pg.ClientConfig) {
    super({ ...config, pipeline: true });
  }

  /**
   * Statements of the query builder have a text and a list of values; all others go as they come. What was sent along
   * and failed is told by the next statement, which fails as well: a transaction is broken by its first error.
   */
  override query(text: unknown, values?: unknown, callback?: unknown): never {
    const send = super.query.bind(this) as (...given: unknown[]) => Promise<unknown>;
    if (typeof text !== 'string' || !Array.isArray(values) || callback)
      return send(text, values, callback) as never;
    const answer = send({ text, values, name: this.#nameOf(text) });
    if (text === 'begin' || text.startsWith(ALONG)) {
      answer.catch(() => {});
      this.#along.push(answer);
      return Promise.resolve(NOTHING) as never;
    }
    const along = this.#along;
    this.#along = [];
    // A rollback is the answer to an error, which has been told.
    if (along.length === 0 || text === 'rollback') return answer as never;
    return Promise.all([...along, answer]).then((all) => all.at(-1)) as never;
  }

  /** Name of a prepared statement; undefined for one that is not worth it. */
  #nameOf(text: string): string | undefined {
    if (UNPLANNED.includes(text)) return undefined;
    const times = (this.#seen.get(text) ?? 0) + 1;
    if (times > 1 || this.#seen.size < TEXTS) this.#seen.set(text, times);
    return times > OFTEN ? nameOf(text) : undefined;
  }
}

const names = new Map<string, string>();

function nameOf(text: string): string {
  const name = names.get(text) ?? `s${names.size + 1}`;
  names.set(text, name);
  return name;
}
