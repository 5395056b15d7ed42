/** Takes the lock named on the command line, says whether it got it, and holds it until it is killed. */
import { acquireLock } from '../../src/store/lock.ts';

console.log(acquireLock(process.argv[2] as string) ? 'held' : 'refused');
setInterval(() => {}, 1000);
