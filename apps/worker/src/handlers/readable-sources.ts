import { type Dirent, existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';

const PACKAGES = 'node_modules';
/** Where pnpm keeps what the links of a `node_modules` lead to; its own `node_modules` has links to all of a workspace. */
const STORE = '.pnpm';

/**
 * Lists what has to be readable for the files of these folders to be loaded: they themselves, and packages where Node looks
 * for them, in the folders and above them. Never a whole `node_modules`, nor what begins with a dot, such as `.env`.
 *
 * Node compares paths as they are written, and `link/../..` is written as if it stayed in the folder of the link, while
 * the system goes up from where the link leads to: from a package of a workspace to its root, with all that lies there.
 */
export function readableSources(folders: readonly string[]): Set<string> {
  const readable = new Set<string>();
  const seen = new Set<string>();

  function addFolder(folder: string): void {
    for (const entry of entriesOf(folder)) {
      if (entry.name === PACKAGES || entry.name.startsWith('.')) continue;
      const path = join(folder, entry.name);
      readable.add(path);
      // Node imports a file by its real name.
      if (entry.isSymbolicLink() && existsSync(path)) readable.add(realpathSync(path));
    }
    addImportsOf(folder);
  }

  function addImportsOf(folder: string): void {
    if (seen.has(folder)) return;
    seen.add(folder);
    readable.add(join(folder, 'package.json'));
    addPackages(join(folder, PACKAGES));
    addImportsOf(dirname(folder));
  }

  function addPackages(folder: string): void {
    for (const { path, name, target } of packagesIn(folder)) {
      if (name === STORE) addStored(path);
      else if (isInstalled(target)) readable.add(path).add(target);
      else if (!hasLinksOfWorkspace(target)) {
        readable.add(path);
        addFolder(target);
      }
    }
  }

  function addStored(store: string): void {
    for (const { name } of entriesOf(store)) if (name !== PACKAGES) readable.add(join(store, name));
  }

  for (const folder of folders) addFolder(folder);
  return readable;
}

interface Package {
  name: string;
  path: string;
  /** Where it really is. */
  target: string;
}

function packagesIn(folder: string): Package[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('@') && entry.isDirectory()) return packagesIn(path);
    const isLeftOut = (entry.name.startsWith('.') && entry.name !== STORE) || !existsSync(path);
    return isLeftOut ? [] : [{ name: entry.name, path, target: realpathSync(path) }];
  });
}

/** Anything else is a package of a workspace. */
function isInstalled(target: string): boolean {
  return target.includes(`${sep}${PACKAGES}${sep}`);
}

/** All below a folder can be read with it, so a link in a link would lead out of it. */
function hasLinksOfWorkspace(folder: string): boolean {
  return packagesIn(join(folder, PACKAGES)).some(({ target }) => !isInstalled(target));
}

function entriesOf(folder: string): Dirent[] {
  return existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
}
