/**
 * The locations of this package's files: below `src` when it runs from source, below `dist` when it is built. The build
 * bundles many modules into one file, so a module cannot derive another file's path from its own.
 */
import { fileURLToPath } from 'node:url';

const isSource = import.meta.url.endsWith('.ts');
const folderName = isSource ? '/src/' : '/dist/';
const rootUrl = import.meta.url.slice(0, import.meta.url.lastIndexOf(folderName) + folderName.length);

/** The folder `src` or `dist`, ending with a slash. */
export const ownFolder = fileURLToPath(rootUrl);
/** Absolute path of package.json. */
export const manifestFile = fileURLToPath(new URL('../package.json', rootUrl));

/** The absolute path of an entry module, such as 'worker/entry', which the build must know too. */
export function entryFile(name: string): string {
  return `${ownFolder}${name}.${isSource ? 'ts' : 'js'}`;
}
