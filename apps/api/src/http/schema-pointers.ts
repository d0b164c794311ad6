import { escapePointer } from '../json/scan-json.ts';

/**
 * Finds where a schema object stands in its document, as a JSON Pointer for the fragment of a URL. Ajv's `schemaPath`
 * does not tell: of what is compiled by itself, as a branch or the target of a `$ref` may be, it starts there and not
 * at the root. The document is walked at the first question, as most requests are right.
 */
export function schemaPointers(document: unknown): (schema: object) => string | undefined {
  let pointers: Map<object, string> | undefined;
  return (schema) => {
    pointers ??= walk(document, '', new Map());
    return pointers.get(schema);
  };
}

function walk(value: unknown, pointer: string, found: Map<object, string>): Map<object, string> {
  if (typeof value !== 'object' || value === null || found.has(value)) return found;
  found.set(value, pointer);
  for (const [key, inner] of Object.entries(value))
    walk(inner, `${pointer}/${encodeURIComponent(escapePointer(key))}`, found);
  return found;
}
