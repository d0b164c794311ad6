import type { AckLine } from '../logs.ts';
import type { Evidence } from './evidence.ts';
import { groupBy, percentile, type Verdict } from './verdict.ts';

/** The statuses of a refusal that says: not now. */
const NOT_NOW = [429, 503];
/**
 * The API gives up after 900 ms; the rest is for its event loop and the client's, which share two cores with servers,
 * workers and the nemesis. A small run shares them with other tests as well.
 */
const P99_MS = { small: 4_000, others: 2_000 };
/** From then on a client takes it for silence: that is its own timeout. */
const SILENCE_MS = 5_000;

/** Who cannot be served is told so, in time, and why: a 503 or 429 with a problem document, and never a 500. */
export function checkRefusals({ acks, run }: Evidence): Verdict {
  const refused = acks.filter((ack) => ack.outcome === 'refused');
  const silent = acks.filter((ack) => ack.outcome === 'unknown' && ack.latencyMs >= SILENCE_MS);
  const wrong = refused.filter(({ status, isProblem }) => !NOT_NOW.includes(status ?? 0) || !isProblem);
  const times = refused.map((ack) => ack.latencyMs);
  const refusalP99Ms = percentile(times, 0.99);
  const boundMs = run.size === 'small' ? P99_MS.small : P99_MS.others;
  const violations = [...groupBy(wrong, describe)].map(([what, { length }]) => `${length} × ${what}.`);
  for (const [during, { length }] of groupBy(silent, duringOf))
    violations.push(`${length} requests got no answer within ${SILENCE_MS} ms (${during}).`);
  if (refusalP99Ms > boundMs)
    violations.push(`A refusal took ${refusalP99Ms} ms (p99); ${boundMs} ms are allowed.`);
  return {
    id: 'Refuse',
    holds: 'Who cannot be served is told so in time, by a 503 or a 429 that says why.',
    figures: {
      refused: refused.length,
      refusedBesideFaults: refused.filter((ack) => ack.during === null).length,
      refusalP50Ms: percentile(times, 0.5),
      refusalP99Ms,
      refusalMaxMs: percentile(times, 1),
      otherErrors: wrong.length,
      silences: silent.length,
    },
    violations,
  };
}

function describe(ack: AckLine): string {
  return `a ${ack.status} ${ack.isProblem ? 'with' : 'without'} a problem document (${duringOf(ack)})`;
}

function duringOf({ during }: AckLine): string {
  return during?.join(' and ') ?? 'no fault';
}
