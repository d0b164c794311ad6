/**
 * Turns a function such as `p => p.account.id` into the JSON pointer `/account/id` (RFC 6901).
 *
 * The API must know a job's concurrency key but never runs user code, so the function is called here, on probes in
 * place of a payload, and what it reads is written down. A default (`p.id ?? 'x'`), a choice or a computation would
 * be lost in a pointer, so each is refused with a TypeError.
 */
export function keyPointer(key: (payload: never) => unknown): string {
  const path = recordPath(key);
  for (const leaf of [undefined, null, '']) {
    const payload = path.reduceRight<unknown>((value, step) => ({ [step]: value }), leaf);
    if (call(key, payload) !== leaf) throw refusal('it answers something else when the property is empty');
  }
  return path.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function recordPath(key: (payload: never) => unknown): string[] {
  const paths = new Map<unknown, string[]>();
  let reads = 0;
  const probe = (path: string[]): object => {
    const recorder = new Proxy(
      {},
      {
        get(_target, property) {
          if (typeof property === 'symbol')
            throw new TypeError('it uses the value instead of only reading it');
          reads += 1;
          return probe([...path, property]);
        },
        ...REFUSED_TRAPS,
      },
    );
    paths.set(recorder, path);
    return recorder;
  };
  const path = paths.get(call(key, probe([])));
  if (path === undefined || path.length === 0) throw refusal('it does not return a property of the payload');
  if (reads !== path.length) throw refusal('it reads more than one property');
  return path;
}

function refuseTrap(): never {
  throw new TypeError('it uses the value instead of only reading it');
}

const REFUSED_TRAPS = {
  has: refuseTrap,
  ownKeys: refuseTrap,
  set: refuseTrap,
  deleteProperty: refuseTrap,
  defineProperty: refuseTrap,
  getOwnPropertyDescriptor: refuseTrap,
  getPrototypeOf: refuseTrap,
} satisfies ProxyHandler<object>;

function call(key: (payload: never) => unknown, payload: unknown): unknown {
  try {
    return key(payload as never);
  } catch (error) {
    throw refusal(error instanceof Error ? error.message : String(error));
  }
}

function refusal(why: string): TypeError {
  return new TypeError(`concurrency.key must only read one property, as p => p.account.id does: ${why}.`);
}
