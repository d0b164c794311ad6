import { resolvePointer } from '../submit/json-pointer.ts';
import { isSchemaObject, type Schema, type SchemaObject, subschemas } from './schema-keywords.ts';

/** Finds what the references of one JSON Schema document mean. */
export interface SchemaIndex {
  /** Finds the schema that a `$ref` or `$dynamicRef` of `from` means; `undefined` when it is not in the document. */
  resolve(from: SchemaObject, keyword: '$ref' | '$dynamicRef'): Schema | undefined;
}

/** Stands for the document where it gives itself no `$id`: references in it are relative to something. */
const NAMELESS = 'schema:/';

/** Reads the `$id`s and anchors of a document, with the base URI that each of its schemas resolves references against. */
export function indexSchema(root: SchemaObject): SchemaIndex {
  const baseOf = new Map<unknown, string>();
  const resources = new Map<string, SchemaObject>([[NAMELESS, root]]);
  const anchors = new Map<string, SchemaObject>();
  /** The first one in the document is the outermost, which a dynamic reference looks for. */
  const dynamicAnchors = new Map<string, SchemaObject>();

  function visit(schema: Schema, outerBase: string): void {
    if (!isSchemaObject(schema)) return;
    const base = typeof schema.$id === 'string' ? resolveUri(schema.$id, outerBase) : outerBase;
    baseOf.set(schema, base);
    if (typeof schema.$id === 'string') resources.set(base, schema);
    for (const name of [schema.$anchor, schema.$dynamicAnchor]) {
      if (typeof name === 'string') anchors.set(`${base}#${name}`, schema);
    }
    const { $dynamicAnchor: dynamic } = schema;
    if (typeof dynamic === 'string' && !dynamicAnchors.has(dynamic)) dynamicAnchors.set(dynamic, schema);
    for (const child of subschemas(schema)) visit(child, base);
  }
  visit(root, NAMELESS);

  return {
    resolve(from, keyword) {
      const [resource = '', fragment = ''] = resolveUri(
        String(from[keyword]),
        baseOf.get(from) ?? NAMELESS,
      ).split('#');
      const name = decodeFragment(fragment);
      if (name === undefined) return undefined;
      if (keyword === '$dynamicRef' && anchors.get(`${resource}#${name}`)?.$dynamicAnchor === name) {
        return dynamicAnchors.get(name);
      }
      if (name !== '' && !name.startsWith('/')) return anchors.get(`${resource}#${name}`);
      const found = resolvePointer(resources.get(resource), name);
      return typeof found === 'boolean' || isSchemaObject(found) ? found : undefined;
    },
  };
}

function resolveUri(reference: string, base: string): string {
  const resolved = URL.parse(reference, base)?.href ?? reference;
  return resolved.endsWith('#') ? resolved.slice(0, -1) : resolved;
}

function decodeFragment(fragment: string): string | undefined {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return undefined;
  }
}
