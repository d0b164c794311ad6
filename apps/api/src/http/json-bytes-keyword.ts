import type { FuncKeywordDefinition } from 'ajv';

/** Of objects whose fields are the client's own: how many bytes they may take as JSON. */
export const MAX_JSON_BYTES = 'x-max-json-bytes';

/** Checks `MAX_JSON_BYTES`. A number that is kept with its digits comes as a symbol of that name. */
export const jsonBytesKeyword: FuncKeywordDefinition = {
  keyword: MAX_JSON_BYTES,
  type: 'object',
  schemaType: 'number',
  validate: (limit: number, value: object) => sizeOf(value) <= limit,
};

function sizeOf(value: object): number {
  const written = (_key: string, item: unknown) => (typeof item === 'symbol' ? item.description : item);
  return Buffer.byteLength(JSON.stringify(value, written));
}
