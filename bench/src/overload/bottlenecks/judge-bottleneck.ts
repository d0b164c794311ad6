import type { Target } from '../../report/target.ts';
import { atLeast, atMost } from '../report/goals.ts';
import { BOUND_SECONDS } from './bottleneck.ts';
import type { Overloaded } from './measure-bottleneck.ts';
import type { OfferedTimes } from './offered.ts';

const GOODPUT = 0.95;
const ACCEPT_GROWTH = 3;
/** From so much on it counts what is done, and at so much how long a 202 takes. */
const FAR_OVER = 4;
const START_SPARE = 1.2;
const REFUSE_P50_MS = 5;
const REFUSE_P99_MS = 20;
const RECOVERY_SECONDS = 10;

/** Sets what was measured of Accepted beside what is promised. */
export function judgeBottleneck({ steps, probedSeconds }: Overloaded): Target[] {
  const at = (times: number) => steps.find((step) => step.times === times);
  const [half, one, far] = [at(0.5), at(1), at(FAR_OVER)];
  const over = steps.filter(({ times }) => times > 1);
  return [
    ...over.filter(({ times }) => times >= FAR_OVER).flatMap((step) => (one ? [goodput(step, one)] : [])),
    ...(half && far ? [acceptTime(far, half)] : []),
    ...over.flatMap(startTime),
    ...over.flatMap(refusals),
    atMost(
      'answers that are neither a 202 nor a documented refusal',
      steps.reduce((sum, { otherErrors }) => sum + otherErrors, 0),
      0,
      'answers',
    ),
    ...over.flatMap((step) => recovery(step, probedSeconds)),
  ];
}

function goodput(step: OfferedTimes, one: OfferedTimes): Target {
  const ratio = step.goodPerSecond / one.goodPerSecond;
  return atLeast(`done a second at ${step.times} ×, to 1 ×`, ratio, GOODPUT, '×');
}

function acceptTime(far: OfferedTimes, half: OfferedTimes): Target {
  const ratio = far.acceptP99Ms / half.acceptP99Ms;
  return atMost(`p99 of a 202 at ${far.times} ×, to 0.5 ×`, ratio, ACCEPT_GROWTH, '×');
}

function startTime({ times, startP99Ms }: OfferedTimes): Target[] {
  if (startP99Ms === undefined) return [];
  const name = `an accepted job starts within, p99, at ${times} ×`;
  return [atMost(name, startP99Ms / 1_000, BOUND_SECONDS * START_SPARE, 's')];
}

function refusals({ times, refuseP50Ms, refuseP99Ms }: OfferedTimes): Target[] {
  if (refuseP50Ms === undefined || refuseP99Ms === undefined) return [];
  return [
    atMost(`time of the server for a refusal, p50, at ${times} ×`, refuseP50Ms, REFUSE_P50_MS, 'ms'),
    atMost(`time of the server for a refusal, p99, at ${times} ×`, refuseP99Ms, REFUSE_P99_MS, 'ms'),
  ];
}

/** Where it was looked for less long than may pass, it must have been sooner. */
function recovery({ times, recoverySeconds }: OfferedTimes, probedSeconds: number): Target[] {
  if (recoverySeconds === undefined) return [];
  const most = Math.min(RECOVERY_SECONDS, probedSeconds - 1);
  return [atMost(`times are normal again after ${times} × in`, recoverySeconds, most, 's')];
}
