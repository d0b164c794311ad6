/** All that a request is made of again: two runs with the same seed have the same recipes. */
export interface Recipe {
  /** By its `operationId`. */
  operation: string;
  /** `/payload` or another place in the body, `?limit`, `?` for the whole query, `Prefer:`, or `:` for many headers. */
  place: string;
  /** By its name: a shape, a word, or a payload of the schema. */
  shape: string;
  /** The shape of what is repeated in it. */
  part?: string;
  bytes: number;
  /** Whether an `Idempotency-Key` comes with it, which has the body brought into a canonical form. */
  isKeyed: boolean;
  /** The number of the schema that was made for its job type. */
  schema?: number;
}

/** A recipe and what it came to. */
export interface Measured {
  recipe: Recipe;
  /** The smallest of its tries. */
  ms: number;
  status: number;
}

/** Says what a request is made of, in one line. */
export function describeRecipe({ operation, place, shape, part, bytes, isKeyed, schema }: Recipe): string {
  const ofWhat = part === undefined ? shape : `${shape} (${part})`;
  const type = schema === undefined ? '' : `, schema ${schema}`;
  return `${operation} ${place || 'body'}: ${ofWhat}, ${bytes} bytes${type}${isKeyed ? ', with a key' : ''}`;
}
