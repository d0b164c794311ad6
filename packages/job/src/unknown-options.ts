import leven from 'leven';

const NAMES: Record<'' | 'retry' | 'concurrency' | 'retry.backoff', string[]> = {
  '': ['type', 'queue', 'payload', 'result', 'retry', 'timeoutMs', 'concurrency', 'isolate', 'run'],
  retry: ['maxAttempts', 'backoff'],
  concurrency: ['limit', 'key'],
  'retry.backoff': ['type', 'delayMs', 'maxMs', 'delaysMs', 'jitter'],
};

const BACKOFF_NAMES: Record<string, string[]> = {
  exponential: ['type', 'delayMs', 'maxMs', 'jitter'],
  fixed: ['type', 'delayMs', 'jitter'],
  schedule: ['type', 'delaysMs', 'jitter'],
};

const EVERY_PATH = Object.entries(NAMES).flatMap(([at, names]) => names.map((name) => pathOf(at, name)));

/**
 * Lists the options that there are not: a misspelt one would be ignored, and its default would rule unseen. `at` is where
 * the object stands among the options, with points between.
 */
export function unknownOptionFaults(at: keyof typeof NAMES, options: object): string[] {
  const known = at === 'retry.backoff' ? backoffNames(options) : NAMES[at];
  return Object.keys(options)
    .filter((name) => !known.includes(name))
    .map((name) => `${pathOf(at, name)} is not an option ${advice(at, name, known)}`);
}

function advice(at: keyof typeof NAMES, name: string, known: string[]): string {
  const isOfAnother = NAMES[at].includes(name);
  return isOfAnother
    ? `of this type of backoff, which has ${known.join(', ')}`
    : `(${suggestion(at, name, known)})`;
}

function backoffNames(options: object): string[] {
  return BACKOFF_NAMES[String(Reflect.get(options, 'type'))] ?? NAMES['retry.backoff'];
}

function suggestion(at: string, name: string, known: string[]): string {
  const here = nearest(name, known, (candidate) => candidate);
  if (here !== undefined) return `did you mean ${pathOf(at, here)}?`;
  const elsewhere = EVERY_PATH.filter((path) => !known.some((one) => pathOf(at, one) === path));
  const there = nearest(name, elsewhere, (path) => path.slice(path.lastIndexOf('.') + 1));
  return there === undefined ? `there are ${known.join(', ')}` : `did you mean ${there}?`;
}

/** A slip of two or three letters is near, and the beginning of a name: `timeout` means `timeoutMs`. */
function nearest(
  name: string,
  candidates: string[],
  nameOf: (candidate: string) => string,
): string | undefined {
  const [best] = candidates
    .map((candidate) => ({ candidate, distance: distance(name, nameOf(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  return best && best.distance <= (name.length > 6 ? 3 : 2) ? best.candidate : undefined;
}

function distance(given: string, known: string): number {
  const [one, other] = [plain(given), plain(known)];
  const isBeginning = one.length > 3 && (one.startsWith(other) || other.startsWith(one));
  return isBeginning ? 0 : leven(one, other, { maxDistance: 4 });
}

function plain(name: string): string {
  return name.replaceAll(/[_-]/g, '').toLowerCase();
}

function pathOf(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`;
}
