/**
 * Where the files of this package are: below `src` when it is run from source, below `dist` when it is built. The build puts many modules
 * into one file, so a module does not know from its own place where another one is.
 */
import { fileURLToPath } from 'node:url';

const isSource = import.meta.url.endsWith('.ts');
const folderName = isSource ? '/src/' : '/dist/';
const rootUrl = import.meta.url.slice(0, import.meta.url.lastIndexOf(folderName) + folderName.length);

/** The folder `src` or `dist`, with a slash at the end. */
export const ownFolder = fileURLToPath(rootUrl);
/** Absolute path of package.json. */
export const manifestFile = fileURLToPath(new URL('../package.json', rootUrl));

/** Absolute path of a module that is an entry point of its own, such as 'worker/entry'. The build must know it, too. */
export function entryFile(name: string): string {
  return `${ownFolder}${name}.${isSource ? 'ts' : 'js'}`;
}
