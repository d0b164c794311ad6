/** The longest text that a JSON Schema says it takes, in characters. */
export interface LongestText {
  length: number;
  isBase64: boolean;
}

/** Finds the largest `maxLength` in a JSON Schema, wherever it stands; `undefined` when no text has one. */
export function longestText(schema: unknown): LongestText | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined;
  const { maxLength, format, contentEncoding } = schema as Record<string, unknown>;
  const isBase64 = [format, contentEncoding].includes('base64');
  const own = typeof maxLength === 'number' ? [{ length: maxLength, isBase64 }] : [];
  const inner = Object.values(schema).flatMap((part) => longestText(part) ?? []);
  return [...own, ...inner].toSorted((a, b) => b.length - a.length)[0];
}
