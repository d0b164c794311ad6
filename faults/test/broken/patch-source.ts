import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';

/** A change to the text of one source file, made while it is loaded. */
export interface Patch {
  /** The file, as a path below the workspace. */
  file: string;
  from: string;
  to: string;
}

const ROOT = new URL('../../../', import.meta.url);

/**
 * Has this process load `file` with `from` replaced by `to`; everything else runs as it is. Throws at once when there is
 * no such file, and fails the load when it does not have `from` exactly once: a patch that no longer applies must not
 * pass for a product that withstood it.
 */
export function patchSource({ file, from, to }: Patch): void {
  const patched = new URL(file, ROOT);
  if (!existsSync(patched)) throw new Error(`There is no ${file} to patch.`);
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== patched.href) return loaded;
      const source = String(loaded.source);
      const parts = source.split(from);
      if (parts.length !== 2)
        throw new Error(`${file} has the text to patch ${parts.length - 1} times: ${from}`);
      return { ...loaded, source: parts.join(to) };
    },
  });
}
