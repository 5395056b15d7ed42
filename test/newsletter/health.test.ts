/** What supervises a process asks it whether it lives and can work. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { listenForHealth, readiness } from '../../src/newsletter/health.ts';
import { openTestNewsletter } from '../support/newsletter.ts';

describe('a worker with --listen', () => {
  async function listening() {
    const newsletter = await openTestNewsletter();
    const { port, close } = await listenForHealth(newsletter, '127.0.0.1:0');
    onTestFinished(close);
    const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
    return { newsletter, get };
  }

  test('lives, is ready and tells its numbers', async () => {
    const { get } = await listening();
    expect((await get('/healthz')).status).toBe(200);
    expect(await (await get('/readyz')).json()).toEqual({ ready: true, why: null });
    expect(await (await get('/metrics')).text()).toContain('process_resident_memory_bytes');
    expect((await get('/')).status).toBe(404);
  });

  test('lives on, but is not ready, when the database is away', async () => {
    const { newsletter, get } = await listening();
    await newsletter.db.destroy();
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(503);
    expect(await readiness(newsletter)).toMatchObject({ ready: false });
  });

  test('needs a host and a port', async () => {
    const newsletter = await openTestNewsletter();
    await expect(listenForHealth(newsletter, '9100')).rejects.toMatchObject({
      kind: 'input',
      code: 'listen-invalid',
    });
  });
});
