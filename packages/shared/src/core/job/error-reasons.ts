/** Leaves room for the reasons in what is kept of a message. */
const MAX_OWN = 1_000;
const MAX_REASON = 200;
const MAX_REASONS = 8;
/** Errors may be nested in any number, and be causes of each other in a circle. */
const MAX_VISITED = 100;
const MAX_DEPTH = 50;

const CODE = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;

/**
 * Gives the message of an error together with what it was caused by: of every chain of causes the innermost error, and
 * every error of an aggregate, each with its code. `fetch failed` alone, or the empty message that Node gives a call that
 * failed on each address of a host, tells nobody what to mend. Bounded; throws only when the error itself cannot be read.
 */
export function messageWithReasons(error: unknown, own: string = writeReason(readReason(error))): string {
  const code = readReason(error).code ?? '';
  const reasons = innermostOf(error).map((reason) => writeReason(unsaid(reason, own, code)));
  const texts = [...new Set(reasons)].filter((text) => text !== '');
  if (texts.length === 0) return own || String((error as Error | undefined)?.name ?? 'Error');
  const listed = texts.slice(0, MAX_REASONS);
  if (texts.length > MAX_REASONS) listed.push(`and ${texts.length - MAX_REASONS} more`);
  // An error without a message has its code for one, which its reasons may say better.
  const isSaid = own === code && texts.some((text) => text.includes(own));
  const start = isSaid ? '' : own.slice(0, MAX_OWN).replace(/[.:\s]+$/, '');
  return `${start}${start && ': '}${listed.join('; ')}`;
}

/** Lists what an error directly holds: the errors that it is an aggregate of, and its cause. */
export function heldErrors(error: unknown): { aggregated: unknown[]; cause: unknown } {
  if (typeof error !== 'object' || error === null) return { aggregated: [], cause: undefined };
  const { errors, cause, error: last, suppressed } = error as Record<string, unknown>;
  const aggregated = Array.isArray(errors) ? errors.slice(0, MAX_VISITED) : [];
  // A `using` whose work failed, and its clean-up too, gives both.
  if (suppressed !== undefined) aggregated.push(last, suppressed);
  return { aggregated, cause: cause ?? undefined };
}

interface Reason {
  message: string;
  code?: string;
}

function innermostOf(root: unknown): Reason[] {
  const seen = new Set<unknown>([root]);
  const isNew = (error: unknown) =>
    seen.size < MAX_VISITED && (typeof error !== 'object' || error === null || !seen.has(error));

  function reasonsOf(error: unknown, depth: number): Reason[] {
    if (depth > MAX_DEPTH) return [];
    const { aggregated, cause } = heldErrors(error);
    const reasons: Reason[] = [];
    for (const one of aggregated.filter(isNew)) {
      seen.add(one);
      reasons.push(readReason(one), ...reasonsOf(one, depth + 1));
    }
    if (cause === undefined || !isNew(cause)) return reasons;
    seen.add(cause);
    const deeper = reasonsOf(cause, depth + 1);
    return [...reasons, ...(deeper.length > 0 ? deeper : [readReason(cause)])];
  }

  try {
    return reasonsOf(root, 0);
  } catch {
    // A getter or a proxy among the causes throws; the error itself is told all the same.
    return [];
  }
}

function readReason(error: unknown): Reason {
  if (typeof error !== 'object' || error === null) return { message: String(error) };
  const { message, code } = error as Record<string, unknown>;
  const text =
    typeof message === 'string' ? message : message === undefined ? shortJson(error) : String(message);
  // That of a DOMException stands for its name since before it had one: every abort would end in `(20)`.
  const written = error instanceof DOMException ? undefined : writeCode(code);
  return written === undefined ? { message: text } : { message: text, code: written };
}

/** Codes of databases and of gRPC are numbers. */
function writeCode(code: unknown): string | undefined {
  if (typeof code === 'number') return Number.isFinite(code) ? String(code) : undefined;
  return typeof code === 'string' && CODE.test(code) ? code : undefined;
}

function shortJson(value: object): string {
  return String(JSON.stringify(value)).slice(0, MAX_REASON);
}

/** Leaves out what the message says already: whoever wraps an error often quotes it. */
function unsaid({ message, code }: Reason, own: string, ownCode: string): Reason {
  const isSaid = code === undefined || code === ownCode || says(own, code);
  return { message: own.includes(message) ? '' : message.slice(0, MAX_REASON), ...(!isSaid && { code }) };
}

function writeReason({ message, code }: Reason): string {
  if (code === undefined || says(message, code)) return message;
  return message === '' ? code : `${message} (${code})`;
}

/** `14` is not said by `after 140 ms`. */
function says(text: string, code: string): boolean {
  const around = text.split(code);
  return around.slice(1).some((after, index) => !/^\d/.test(after) && !/\d$/.test(around[index] ?? ''));
}
