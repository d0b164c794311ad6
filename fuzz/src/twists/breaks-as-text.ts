import { type SchemaObject, typesOf } from '../document/schema.ts';

/**
 * Tells whether a text, as parameters come, breaks the schema for certain. What a server may read in one way or another,
 * such as `1e2` or an empty text for a number, does not.
 */
export function breaksAsText(text: string, schema: SchemaObject): boolean {
  const { enum: values, minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
  if (Object.hasOwn(schema, 'const')) return text !== schema.const;
  if (values) return !values.includes(text);
  const length = [...text].length;
  const types = typesOf(schema);
  if (types.includes('string')) return length < minLength || length > maxLength;
  if (types.includes('integer')) return breaksAsInteger(text, schema);
  return false;
}

function breaksAsInteger(text: string, { minimum = -Infinity, maximum = Infinity }: SchemaObject): boolean {
  if (!/^-?\d+(\.\d+)?$/.test(text)) return /[^-+.\deExX\s]/.test(text);
  const number = Number(text);
  return !Number.isInteger(number) || number < minimum || number > maximum;
}
