/** What is measured, by the name that the command line takes. */
import { prepare } from './campaign.ts';
import {
  broadsheet,
  type Contestant,
  type Field,
  hasSmtpSource,
  nodemailer,
  smtpSource,
} from './contestants.ts';
import { cluster } from './database.ts';
import { importing } from './import.ts';
import { previewed } from './preview.ts';
import { type Row, rate, rowsOf, type Table } from './report.ts';
import { openPostfix, openSink, postfixMissing, type Server } from './servers.ts';
import { startUp } from './start.ts';
import { temporary } from './temporary.ts';
import type { Used } from './used.ts';

export interface Options {
  /** Length of the list. Who is slow gets a part of it: rates are compared. */
  mails: number;
  rounds: number;
  connections: number;
  items: number;
}

/** Items of an issue of 80 kB HTML, and of the smallest: its HTML is 15 kB, nearly all of it looks. */
export const ITEMS = 22;
export const FEWEST_ITEMS = 1;

/** Of every reply in the suite `delay`, ms. */
const DELAY = 20;

export const suites: Record<string, (options: Options) => Promise<Table>> = {
  send: (options) =>
    compare('Whole campaigns', options, (field, mails) => [
      nodemailer(field, mails / 10),
      nodemailer(field, mails / 10, { base64: true }),
      ...(hasSmtpSource() ? [smtpSource(field, mails)] : []),
      broadsheet(field, mails),
    ]),

  dkim: (options) =>
    compare('DKIM with RSA of 2048 bits', options, (field, mails) => [
      nodemailer(field, mails / 20, { dkim: true }),
      broadsheet(field, mails / 2, { dkim: true }),
    ]),

  async delay(options) {
    const enter = (field: Field, mails: number) => [
      nodemailer(field, mails / 5, { base64: true }),
      broadsheet(field, mails / 5),
    ];
    const about = `Every reply ${DELAY} ms late`;
    const table = await compare(about, options, enter, () => openSink(DELAY));
    const most = options.connections / (DELAY / 1000);
    const share = (row: Row) => ({ 'of connections / round trip': Number(row['mails/s']) / most });
    return { ...table, rows: table.rows.map((row) => ({ ...row, ...share(row) })) };
  },

  ledger: (options) =>
    compare('What marks and results cost', { ...options, connections: 50 }, (field, mails) => [
      broadsheet(field, mails, { ledger: false }),
      broadsheet(field, mails),
    ]),

  async postfix(options) {
    const missing = postfixMissing();
    if (missing) return { about: `A real Postfix: left out. ${missing}`, rows: [] };
    const enter = (field: Field, mails: number) => [
      smtpSource(field, mails / 10),
      broadsheet(field, mails / 10),
    ];
    return compare('To a Postfix that throws away', options, enter, openPostfix);
  },

  async growth(options) {
    const enter = (field: Field, mails: number) =>
      [mails * 50, mails * 5].map((size) => ({
        ...broadsheet(field, size),
        name: `${size} deliveries`,
      }));
    const small = { ...options, items: FEWEST_ITEMS };
    const table = await compare('From a small campaign to a large one', small, enter);
    const [large, base] = table.rows as [Row, Row];
    const figures = ['mails/s', 'CPU µs/mail', 'peak MB'];
    const more = figures.map((column) => [column, Number(large[column]) - Number(base[column])]);
    const difference = { contestant: 'difference', ...Object.fromEntries(more) };
    return { ...table, rows: [base, large, difference] };
  },

  cluster,
  import: async ({ mails, rounds }) => importing(mails * 50, rounds),

  start: async () => startUp(),

  preview: ({ items }) => previewed(items),
};

/** @param enter names the contestants for a list of that length; the others are compared with the last */
async function compare(
  title: string,
  { mails, rounds, connections, items }: Options,
  enter: (field: Field, mails: number) => Contestant[],
  open: () => Promise<Server> = () => openSink(0),
): Promise<Table> {
  const material = await prepare(temporary('material'), items);
  const contestants = enter({ material, connections }, mails);
  const runs = await race(contestants, rounds, open);
  const size = `${material.bytes} bytes (${items} items, HTML ${material.htmlBytes})`;
  const about = `${title}: mails of ${size}, ${connections} connections; medians of ${rounds}`;
  return { about, rows: rowsOf(runs, contestants.at(-1)?.name ?? '') };
}

/** Every contestant once in each round, one after the other, each with a server of its own. */
async function race(
  contestants: Contestant[],
  rounds: number,
  open: () => Promise<Server>,
): Promise<Map<string, Used[]>> {
  const runs = new Map(contestants.map(({ name }) => [name, [] as Used[]]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const { name, mails, send } of contestants) {
      const server = await open();
      const used = await send(server.port);
      const taken = await server.stop();
      // A contestant that lost mail has won nothing.
      if (taken !== mails) throw new Error(`${name}: ${taken} of ${mails} mails arrived`);
      runs.get(name)?.push(used);
      console.error(`round ${round}: ${name} ${rate(used).toFixed(0)} mails/s`);
    }
  }
  return runs;
}
