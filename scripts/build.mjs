/**
 * `npm run build`: installs the dependencies if they are missing, and builds dist/ from src/. With `--clean`, which is for packing, it also
 * removes the files that earlier builds left in dist/.
 */
import { removeOlderBuilds } from './lib/build.mjs';
import { withLock } from './lib/lock.mjs';
import { prepare } from './lib/prepare.mjs';

await prepare();
if (process.argv.includes('--clean')) await withLock(removeOlderBuilds);
