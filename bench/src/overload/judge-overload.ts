import { BOUND_SECONDS, type OfferedTimes, type WorkersOverloaded } from './measure-workers.ts';

/** Whether something that is promised held, and by how much. */
export interface OverloadVerdict {
  title: string;
  value: number;
  wanted: string;
  holds: boolean;
}

const GOODPUT = 0.95;
const ACCEPT_GROWTH = 3;
const START_SPARE = 1.2;
const REFUSE_P50_MS = 5;
const REFUSE_P99_MS = 20;

/** Judges what is promised of the workers being the bottleneck, by what was measured of Accepted. */
export function judgeWorkers({ steps }: WorkersOverloaded): OverloadVerdict[] {
  const at = (times: number) => steps.find((step) => step.times === times);
  const [half, one] = [at(0.5), at(1)];
  const over = steps.filter(({ times }) => times > 1);
  return [
    ...over.flatMap((step) => (one ? [goodput(step, one)] : [])),
    ...over.flatMap((step) => (half ? [acceptTime(step, half)] : [])),
    ...over.map(startTime),
    ...over.flatMap(refusals),
    {
      title: 'answers that are neither a 202 nor a documented refusal',
      value: steps.reduce((sum, { otherErrors }) => sum + otherErrors, 0),
      wanted: '0',
      holds: steps.every(({ otherErrors }) => otherErrors === 0),
    },
  ];
}

function goodput(step: OfferedTimes, one: OfferedTimes): OverloadVerdict {
  const value = step.startedPerSecond / one.startedPerSecond;
  return {
    title: `jobs started at ${step.times} ×, to those at 1 ×`,
    value,
    wanted: `≥ ${GOODPUT}`,
    holds: value >= GOODPUT,
  };
}

function acceptTime(step: OfferedTimes, half: OfferedTimes): OverloadVerdict {
  const value = step.acceptP99Ms / half.acceptP99Ms;
  return {
    title: `p99 of a 202 at ${step.times} ×, to that at 0.5 ×`,
    value,
    wanted: `≤ ${ACCEPT_GROWTH}`,
    holds: value <= ACCEPT_GROWTH,
  };
}

function startTime({ times, startP99Ms }: OfferedTimes): OverloadVerdict {
  const most = BOUND_SECONDS * START_SPARE;
  return {
    title: `seconds until a job starts that was accepted at ${times} ×, p99`,
    value: startP99Ms / 1_000,
    wanted: `≤ ${most}`,
    holds: startP99Ms / 1_000 <= most,
  };
}

function refusals({ times, refuseP50Ms, refuseP99Ms }: OfferedTimes): OverloadVerdict[] {
  return [
    { title: `ms to a refusal at ${times} ×, p50`, value: refuseP50Ms, most: REFUSE_P50_MS },
    { title: `ms to a refusal at ${times} ×, p99`, value: refuseP99Ms, most: REFUSE_P99_MS },
  ].map(({ most, ...figure }) => ({ ...figure, wanted: `≤ ${most}`, holds: figure.value <= most }));
}
