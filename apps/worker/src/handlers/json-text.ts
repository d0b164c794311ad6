/** Tells why a value cannot be stored as JSON text. */
export class UnstorableValueError extends Error {
  override name = 'UnstorableValueError';
  readonly fault: 'too_large' | 'not_serializable' | 'unstorable_text';

  constructor(fault: UnstorableValueError['fault'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/**
 * Writes a value as JSON text of at most `maxBytes` bytes; `undefined` becomes `null`. Throws UnstorableValueError.
 *
 * The size is counted on the way, so that a huge value is refused before its text is built. Postgres cannot hold
 * `\u0000` or half of a surrogate pair, so text with either is refused.
 */
export function jsonText(value: unknown, maxBytes: number): string {
  const text = stringify(value ?? null, budget(maxBytes));
  if (text === undefined) {
    throw new UnstorableValueError('not_serializable', `A ${typeof value} cannot be written as JSON.`);
  }
  if (Buffer.byteLength(text) > maxBytes) throw tooLarge(maxBytes);
  return text;
}

function stringify(value: unknown, spend: (characters: number) => void): string | undefined {
  spendBinary(value, spend);
  try {
    return JSON.stringify(value, function (this: unknown, key, child: unknown) {
      // A property without a JSON value is left out, an element becomes `null`.
      if (!Array.isArray(this) && (child === undefined || typeof child === 'function')) return undefined;
      spend(Array.isArray(this) ? 1 : key.length + 1);
      checkText(key);
      if (typeof child === 'string') {
        spend(child.length);
        checkText(child);
      }
      if (typeof child === 'object' && child !== null) {
        for (const grandchild of Object.values(child)) spendBinary(grandchild, spend);
      }
      return child;
    });
  } catch (error) {
    if (error instanceof UnstorableValueError) throw error;
    // A cycle, a BigInt, a depth beyond the stack, or a `toJSON` or getter that throws.
    const why = error instanceof Error ? error.message : 'something in it threw.';
    throw new UnstorableValueError('not_serializable', `It cannot be written as JSON: ${why}`, {
      cause: error,
    });
  }
}

/** Binary data is written as a list of numbers, all of it before the replacer sees any, so it is counted ahead. */
function spendBinary(value: unknown, spend: (characters: number) => void): void {
  if (ArrayBuffer.isView(value)) spend(value.byteLength);
}

function checkText(text: string): void {
  if (text.includes('\0') || !text.isWellFormed()) {
    throw new UnstorableValueError(
      'unstorable_text',
      'It holds text with \\u0000 or half of a surrogate pair.',
    );
  }
}

function budget(maxBytes: number): (characters: number) => void {
  let left = maxBytes;
  return (characters) => {
    left -= characters;
    if (left < 0) throw tooLarge(maxBytes);
  };
}

function tooLarge(maxBytes: number): UnstorableValueError {
  return new UnstorableValueError('too_large', `It is larger than ${maxBytes} bytes as JSON.`);
}
