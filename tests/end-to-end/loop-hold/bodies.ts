/** What a client may fill a body with; each costs something else. */
const SHAPES: Record<string, (bytes: number) => string> = {
  'empty objects': (bytes) => list('{}', bytes),
  'empty lists': (bytes) => list('[]', bytes),
  'small numbers': (bytes) => list('1', bytes),
  'numbers of many digits': (bytes) => list('12345678901234567890', bytes),
  'long fractions': (bytes) => list('0.1000000000000000055', bytes),
  'one number without end': (bytes) => '9'.repeat(bytes),
  'forbidden characters': (bytes) => list('"\\u0000"', bytes),
  'half pairs': (bytes) => list('"\\ud800"', bytes),
  'names of prototypes': (bytes) => list('{"__proto__":1}', bytes),
  'one text': (bytes) => `"${'a'.repeat(bytes)}"`,
  backslashes: (bytes) => `"${'\\\\'.repeat(bytes / 2)}"`,
  'escaped letters': (bytes) => `"${'\\u0061'.repeat(bytes / 6)}"`,
  'letters of three bytes': (bytes) => `"${'€'.repeat(bytes / 3)}"`,
  'many fields': (bytes) => `{${numbered(bytes, (n) => `"f${n}":${n}`)}}`,
  'objects that differ': (bytes) => `[${numbered(bytes, (n) => `{"n":${n}}`)}]`,
  'deep lists': (bytes) => list(`${'['.repeat(50)}${']'.repeat(50)}`, bytes),
  'too deep lists': (bytes) => `${'['.repeat(bytes / 2)}${']'.repeat(bytes / 2)}`,
  'spaces before a fault': (bytes) => `${' '.repeat(bytes)}?`,
  'a fault at the end': (bytes) => `${list('{"a":[1,"b"]}', bytes)}?`,
};

/** Where it may stand. */
const PLACES: Record<string, { path: string; body: (filling: string) => string }> = {
  'the whole body': { path: '/v1/jobs', body: (filling) => filling },
  payload: { path: '/v1/jobs', body: (filling) => `{"type":"hold.any","payload":${filling}}` },
  'payload of a type with a schema': {
    path: '/v1/jobs',
    body: (filling) => `{"type":"hold.strict","payload":{"items":${filling}}}`,
  },
  metadata: {
    path: '/v1/jobs',
    body: (filling) => `{"type":"hold.any","payload":1,"metadata":{"m":${filling}}}`,
  },
  tags: { path: '/v1/jobs', body: (filling) => `{"type":"hold.any","payload":1,"tags":${filling}}` },
  events: {
    path: '/v1/jobs',
    body: (filling) =>
      `{"type":"hold.any","payload":1,"webhook":{"url":"https://example.com","events":${filling}}}`,
  },
  waits: {
    path: '/v1/jobs',
    body: (filling) =>
      `{"type":"hold.any","payload":1,"retry":{"backoff":{"type":"schedule","delaysMs":${filling}}}}`,
  },
  scopes: { path: '/v1/api-keys', body: (filling) => `{"name":"x","scopes":${filling}}` },
  ids: { path: '/v1/dead-letters/discard', body: (filling) => `{"ids":${filling}}` },
};

export interface Candidate {
  name: string;
  path: string;
  body: string;
}

/** Lists every shape at every place, each about as large as given. */
export function candidates(bytes: number): Candidate[] {
  return Object.entries(PLACES).flatMap(([place, { path, body }]) =>
    Object.entries(SHAPES).map(([shape, fill]) => ({
      name: `${shape} as ${place}, ${bytes} bytes`,
      path,
      body: body(fill(bytes - 200)),
    })),
  );
}

/** Texts that a pattern, or a comparison of all with all, is slow for; small enough for anybody to send. */
export const SLOW_TO_CHECK: Candidate[] = [
  ['hold.exponential', JSON.stringify(`${'a'.repeat(40)}!`)],
  ['hold.quadratic', JSON.stringify(`${' '.repeat(15_000)}!`)],
  ['hold.unique', `[${numbered(15_000, (n) => `{"n":${n}}`)}]`],
  ['hold.recursive', nested(60)],
  ['hold.kinds', list('{"kind":199}', 15_000)],
  ['hold.words', list(`"${'w'.repeat(20)}4999"`, 15_000)],
  ['hold.names', `{${numbered(15_000, (n) => `"fabcdefgh${n}":1`)}}`],
].map(([type, payload]) => ({
  name: `${type}`,
  path: '/v1/jobs',
  body: `{"type":"${type}","payload":${payload}}`,
}));

function nested(levels: number): string {
  return `${'{"next":'.repeat(levels)}1${'}'.repeat(levels)}`;
}

function list(item: string, bytes: number): string {
  return `[${Array(Math.floor(bytes / (item.length + 1)))
    .fill(item)
    .join(',')}]`;
}

function numbered(bytes: number, write: (n: number) => string): string {
  const parts: string[] = [];
  for (let [n, length] = [0, 0]; length < bytes; n += 1) {
    const part = write(n);
    parts.push(part);
    length += part.length + 1;
  }
  return parts.join(',');
}
