import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { isJobDefinition } from '@accepted/job';
import type { LoadedHandler } from './loaded-handler.ts';

/** What a handler file may import without installing it. */
const PROVIDED = /^(@accepted\/job|zod)(\/|$)/;

const NO_JOB =
  'it has no default export made by defineJob; a file that is no handler goes into a folder, or has a name that begins with _';

/** An import that leads nowhere, as it stands in the source. */
export interface UnresolvedImport {
  specifier: string;
  importer: string | undefined;
}

const unresolved = new WeakMap<object, UnresolvedImport>();

// A handler file may live in any folder, with no `node_modules` above it. Its own copy comes first if it has one.
registerHooks({
  resolve(specifier, context, nextResolve) {
    try {
      return nextResolve(specifier, context);
    } catch (error) {
      if (PROVIDED.test(specifier)) return { url: import.meta.resolve(specifier), shortCircuit: true };
      // Node tells where it has looked, but not which import it was.
      if (error instanceof Error) unresolved.set(error, { specifier, importer: context.parentURL });
      throw error;
    }
  },
});

/** Tells which import an error of loading a file is about; `undefined` when it is about something else. */
export function unresolvedImport(error: object): UnresolvedImport | undefined {
  return unresolved.get(error);
}

/** Loads a handler file, TypeScript as it is; throws when it cannot be, or when it exports no job. */
export async function importHandler(file: string): Promise<LoadedHandler> {
  const exported: { default?: unknown } = await import(pathToFileURL(file).href);
  const definition = [exported.default, compiledDefault(exported.default)].find(isJobDefinition);
  if (!definition) throw new TypeError(NO_JOB);
  const { type, queue } = definition;
  return { type, queue, definition, file };
}

/** What compilers make of `export default` for CommonJS. */
function compiledDefault(exported: unknown): unknown {
  return typeof exported === 'object' && exported !== null ? Reflect.get(exported, 'default') : undefined;
}
