/** What JSON at a place is made of; each costs something else. Some of it is none. */
export type Fill = (bytes: number, inner: Inner) => string;

/** What may stand at the place, and what may stand in lists, as JSON. */
export interface Inner {
  /** Items that the schema of the place takes; none where it is no list. */
  items: readonly string[];
  /** Something small to be repeated. */
  part: string;
}

/** Shapes by their name, which is what a recipe has of them. */
export const SHAPES: Readonly<Record<string, Fill>> = {
  'empty objects': (bytes) => list('{}', bytes),
  'empty lists': (bytes) => list('[]', bytes),
  'empty texts': (bytes) => list('""', bytes),
  'small numbers': (bytes) => list('1', bytes),
  'numbers of many digits': (bytes) => list('12345678901234567890', bytes),
  'long fractions': (bytes) => list('0.1000000000000000055', bytes),
  'large exponents': (bytes) => list('1E400', bytes),
  'one number without end': (bytes) => '9'.repeat(bytes),
  'one fraction without end': (bytes) => `0.${'1'.repeat(bytes)}`,
  'numbers of a thousand digits': (bytes) => list('7'.repeat(1_000), bytes),
  'forbidden characters': (bytes) => list('"\\u0000"', bytes),
  'half pairs': (bytes) => list('"\\ud800"', bytes),
  'names of prototypes': (bytes) => list('{"__proto__":1}', bytes),
  'one text': (bytes) => `"${'a'.repeat(bytes)}"`,
  backslashes: (bytes) => `"${'\\\\'.repeat(bytes / 2)}"`,
  'escaped letters': (bytes) => `"${'\\u0061'.repeat(bytes / 6)}"`,
  'letters of three bytes': (bytes) => `"${'€'.repeat(bytes / 3)}"`,
  'letters of four bytes': (bytes) => `"${'😀'.repeat(bytes / 4)}"`,
  'spaces in a text': (bytes) => `"${' '.repeat(bytes)}!"`,
  'texts of a letter': (bytes) => list('"a"', bytes),
  'texts of equal beginnings': (bytes) => `[${numbered(bytes, (n) => `"${'a'.repeat(90)}${n}"`)}]`,
  'times and addresses': (bytes) => list('"2026-01-01T00:00:00.000Z","https://a.example/"', bytes),
  'many fields': (bytes) => `{${numbered(bytes, (n) => `"f${n}":${n}`)}}`,
  'fields of equal beginnings': (bytes) => `{${numbered(bytes, (n) => `"${'a'.repeat(40)}${n}":0`)}}`,
  'fields that are numbers': (bytes) => `{${numbered(bytes, (n) => `"${n * 7919}":0`)}}`,
  'the same field again': (bytes) => `{${numbered(bytes, () => '"a":0')}}`,
  'objects that differ': (bytes) => `[${numbered(bytes, (n) => `{"n":${n}}`)}]`,
  'objects that differ in the end': (bytes) => `[${numbered(bytes, (n) => `{"a":1,"b":[2],"c":${n}}`)}]`,
  'deep lists': (bytes) => list(`${'['.repeat(50)}${']'.repeat(50)}`, bytes),
  'deep objects': (bytes) => list(`${'{"a":'.repeat(50)}1${'}'.repeat(50)}`, bytes),
  'too deep lists': (bytes) => `${'['.repeat(bytes / 2)}${']'.repeat(bytes / 2)}`,
  'too deep objects': (bytes) => `${'{"":'.repeat(bytes / 5)}1${'}'.repeat(bytes / 5)}`,
  'spaces before a fault': (bytes) => `${' '.repeat(bytes)}?`,
  'a fault at the end': (bytes) => `${list('{"a":[1,"b"]}', bytes)}?`,
  'a text without an end': (bytes) => `"${'\\"'.repeat(bytes / 2)}`,
  'wrong everywhere': (bytes) => list('null,{"x":[]},-1,"",[[]]', bytes),
  'right again and again': (bytes, { items }) => list(items.join(',') || '1', bytes),
  'right until the last': (bytes, { items }) =>
    list(items.join(',') || '"a"', bytes).replace(/\]$/, ',[{}]]'),
  'lists of it': (bytes, { part }) => list(part, bytes),
  'fields of it': (bytes, { part }) => `{${numbered(bytes, (n) => `"f${n}":${part}`)}}`,
};

/** Repeats an item in a list of about so many bytes. */
export function list(item: string, bytes: number): string {
  return `[${Array(Math.max(1, Math.floor(bytes / (item.length + 1))))
    .fill(item)
    .join(',')}]`;
}

/** Writes different parts, with commas between them, up to so many bytes. */
export function numbered(bytes: number, write: (n: number) => string): string {
  const parts: string[] = [];
  for (let [n, length] = [0, 0]; length < bytes; n += 1) {
    const part = write(n);
    parts.push(part);
    length += part.length + 1;
  }
  return parts.join(',');
}
