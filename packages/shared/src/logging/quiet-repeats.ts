/** Writes a line of the log. `repeated` is how many failures a line stands for. */
type Write = (fields: Record<string, unknown>, text: string) => void;

const TELL_EVERY_MS = 30_000;
/** Whatever fails again and again does so more often than this, so that after a silence it must work again. */
const BACK_AFTER_MS = 5_000;

interface Trouble {
  sinceMs: number;
  lastMs: number;
  toldMs: number;
  /** Failures since the last line, and in all. */
  untold: number;
  failures: number;
  silence: NodeJS.Timeout;
}

/**
 * Makes the function that writes warnings of what fails and is tried again: the first at once, one every 30 s with the
 * number of those between while it goes on, and one line when it is over; of each kind of error by itself. A service that is away for an hour would
 * otherwise fill the log with the same line.
 */
export function quietRepeats(warn: Write, tell: Write, now: () => number = Date.now) {
  const troubles = new Map<string, Trouble>();

  function begin(key: string, text: string): Trouble {
    const silence = setTimeout(() => end(key, text), BACK_AFTER_MS).unref();
    const trouble = {
      sinceMs: now(),
      lastMs: 0,
      toldMs: Number.NEGATIVE_INFINITY,
      untold: 0,
      failures: 0,
      silence,
    };
    troubles.set(key, trouble);
    return trouble;
  }

  function end(key: string, text: string): void {
    const trouble = troubles.get(key);
    troubles.delete(key);
    if (!trouble || trouble.failures === 1) return;
    const seconds = Math.max(1, Math.round((trouble.lastMs - trouble.sinceMs) / 1_000));
    tell({ failures: trouble.failures }, `back after ${seconds} s: ${text}`);
  }

  return (err: unknown, text: string): void => {
    const key = `${text} ${kindOf(err)}`;
    const trouble = troubles.get(key) ?? begin(key, text);
    trouble.silence.refresh();
    trouble.failures += 1;
    trouble.untold += 1;
    trouble.lastMs = now();
    if (trouble.lastMs - trouble.toldMs < TELL_EVERY_MS) return;
    warn({ err, repeated: trouble.untold }, text);
    trouble.toldMs = trouble.lastMs;
    trouble.untold = 0;
  };
}

/** Tells apart what may have different causes, by what there are few of: a message may have an address or an id in it. */
function kindOf(err: unknown): string {
  if (!(err instanceof Error)) return typeof err;
  return 'code' in err ? String(err.code) : err.name;
}
