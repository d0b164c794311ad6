import type { Operation } from '../document/api-document.ts';
import { writeJson } from '../generate/raw-json.ts';
import { TWISTS } from '../twists/all-twists.ts';
import { unmeetableExpectation } from '../twists/headers.ts';
import type { Twist, TwistContext, Twisted } from '../twists/twist.ts';
import { type Draft, draftRequest } from './draft.ts';
import type { Expected, FuzzRequest } from './fuzz-request.ts';
import { targetOf } from './target.ts';

/** How many requests have so many twists. */
const TWIST_COUNTS = [1, 1, 1, 1, 1, 1, 2, 3];
/** One in so many has none. */
export const PLAIN_EVERY = 6;

/** Tells whether bytes are no body that the document allows for the operation. */
export type BreaksBody = (operation: Operation, bytes: Buffer) => boolean;

/**
 * Makes the request `number` of an operation. The first is as right as the schemas can make it and the second one that no
 * operation takes, so that both kinds of answers are seen of each.
 */
export function makeRequest(
  context: TwistContext,
  { operation, number, breaksBody }: { operation: Operation; number: number; breaksBody: BreaksBody },
): FuzzRequest {
  const draft = draftRequest(context, operation);
  const twisted = twistsFor(context, operation, number).map((twist) => twist.apply(draft, context));
  const body = draft.body && bytesOf(draft, draft.body.value);
  const isBroken = operation.body !== undefined && breaksBody(operation, body ?? Buffer.alloc(0));
  return {
    madeFor: operation.id,
    number,
    twists: twisted.map(({ did }) => did),
    method: draft.method,
    target: targetOf(draft),
    headers: [
      ...(draft.contentType === undefined ? [] : [['Content-Type', draft.contentType] as const]),
      ...draft.headers,
    ],
    body,
    key: draft.key,
    expected: expectedOf(twisted, isBroken),
  };
}

function twistsFor({ draw }: TwistContext, operation: Operation, number: number): Twist[] {
  if (number % PLAIN_EVERY === 0) return [];
  if (number === 1) return [unmeetableExpectation];
  return Array.from({ length: draw.pick(TWIST_COUNTS) }, () => {
    const fitting = TWISTS.map((family) => family.filter((twist) => twist.fits(operation)));
    return draw.pick(draw.pick(fitting.filter((family) => family.length > 0)));
  });
}

function bytesOf({ rewrite }: Draft, value: unknown): Buffer {
  return rewrite.reduce<Buffer>((bytes, change) => change(bytes), Buffer.from(writeJson(value)));
}

/** One twist says what must come of it; of several nothing is said, as one may undo the other. */
function expectedOf([first, ...more]: readonly Twisted[], isBroken: boolean): Expected {
  if (first && more.length === 0 && first.expected !== 'anything') return first.expected;
  return isBroken ? 'refused' : 'anything';
}
