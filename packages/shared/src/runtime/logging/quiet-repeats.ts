/** What a line of the log says beside its text. */
type Fields = Record<string, unknown> & { err: unknown };
type Write = (fields: Record<string, unknown>, text: string) => void;

const TELL_EVERY_MS = 30_000;
/** What fails again within this is the same trouble: no service waits longer before it tries again. */
const FORGET_AFTER_MS = 120_000;
/** So many times the longest pause between two failures without another one mean that it works again. */
const SILENT_PAUSES = 2.5;
const MIN_SILENCE_MS = 5_000;
/** More kinds of trouble at once are not told apart by what they are about: a line a failure would be the flood. */
const MAX_TROUBLES = 1_000;

interface Trouble {
  sinceMs: number;
  lastMs: number;
  longestPauseMs: number;
  toldMs: number;
  /** Failures since the last line, and in all. */
  untold: number;
  failures: number;
  silence: NodeJS.Timeout | undefined;
}

/**
 * Makes the function that writes what fails and is tried again: the first failure at once, one line every 30 s with the
 * number of those between while it goes on, and one when it is over; of each kind of error, and of each thing that it is about, by itself.
 * A service that is away for an hour would otherwise fill the log with the same line.
 */
export function quietRepeats(tell: Write, now: () => number = Date.now) {
  const troubles = new Map<string, Trouble>();

  function end(key: string, text: string): void {
    const trouble = troubles.get(key);
    troubles.delete(key);
    if (!trouble || trouble.failures === 1) return;
    const seconds = Math.max(1, Math.round((trouble.lastMs - trouble.sinceMs) / 1_000));
    tell({ failures: trouble.failures }, `back after ${seconds} s: ${text}`);
  }

  function count(trouble: Trouble): void {
    const atMs = now();
    if (trouble.failures > 0)
      trouble.longestPauseMs = Math.max(trouble.longestPauseMs, atMs - trouble.lastMs);
    trouble.lastMs = atMs;
    trouble.failures += 1;
    trouble.untold += 1;
  }

  return (fields: Fields, text: string, write: Write): void => {
    const key = keyOf(fields, text, troubles.size >= MAX_TROUBLES);
    const trouble = troubles.get(key) ?? begin(now());
    troubles.set(key, trouble);
    count(trouble);
    clearTimeout(trouble.silence);
    trouble.silence = setTimeout(() => end(key, text), silenceMs(trouble)).unref();
    if (trouble.lastMs - trouble.toldMs < TELL_EVERY_MS) return;
    write({ ...fields, repeated: trouble.untold }, text);
    trouble.toldMs = trouble.lastMs;
    trouble.untold = 0;
  };
}

function begin(sinceMs: number): Trouble {
  return {
    sinceMs,
    lastMs: sinceMs,
    longestPauseMs: 0,
    toldMs: Number.NEGATIVE_INFINITY,
    untold: 0,
    failures: 0,
    silence: undefined,
  };
}

function silenceMs({ failures, longestPauseMs }: Trouble): number {
  if (failures === 1) return FORGET_AFTER_MS;
  return Math.max(MIN_SILENCE_MS, longestPauseMs * SILENT_PAUSES);
}

function keyOf({ err, ...about }: Fields, text: string, isCrowded: boolean): string {
  const kind = `${text} ${kindOf(err)}`;
  return isCrowded ? kind : `${kind} ${Object.values(about).map(String).join(' ')}`;
}

/** Tells apart what may have different causes, by what there are few of: a message may have an address or an id in it. */
function kindOf(err: unknown): string {
  if (!(err instanceof Error)) return typeof err;
  return 'code' in err ? String(err.code) : err.name;
}
