import { Type } from 'typebox';

/** Makes the schema of a text that is one of `values`: one `enum`, so that a wrong one is one fault. */
export function oneOf<Value extends string>(values: readonly Value[], options: object = {}) {
  return Type.Unsafe<Value>({ type: 'string', enum: [...values], ...options });
}
