/** Opens a store as another process would, and says so. */
import { openStore } from '../../src/store/open.ts';

const store = await openStore({ stateDir: process.argv[2] as string });
await store.db.selectFrom('subscribers').selectAll().execute();
await store.close();
console.log('opened');
