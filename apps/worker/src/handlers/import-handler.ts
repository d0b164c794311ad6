import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { isJobDefinition } from '@accepted/job';
import type { LoadedHandler } from './loaded-handler.ts';

/** What a handler file may import without installing it. */
const PROVIDED = /^(@accepted\/job|zod)(\/|$)/;

// A handler file may live in any folder, with no `node_modules` above it. Its own copy comes first if it has one.
registerHooks({
  resolve(specifier, context, nextResolve) {
    try {
      return nextResolve(specifier, context);
    } catch (error) {
      if (!PROVIDED.test(specifier)) throw error;
      return nextResolve(specifier, { ...context, parentURL: import.meta.url });
    }
  },
});

/** Loads a handler file, TypeScript as it is; throws when it cannot be, or when it exports no job. */
export async function importHandler(file: string): Promise<LoadedHandler> {
  const { default: definition }: { default?: unknown } = await import(pathToFileURL(file).href);
  if (!isJobDefinition(definition)) throw new TypeError('it has no default export made by defineJob');
  const { type, queue } = definition;
  return { type, queue, definition, file };
}
