import { countByKind, isAccepted, isRefusal, percentileOrNone, ratePerSecond } from '../load/figures.ts';
import type { Flooded } from '../load/flood.ts';
import type { AnswerTime } from '../world/answer-times.ts';

/** What came of offering so many times as much as can be done. */
export interface OfferedTimes {
  times: number;
  /** What was sent, in times of what can be done: less than was due where the clients share the cores. */
  sentTimes: number;
  offered: number;
  accepted: number;
  refused: number;
  refusedByKind: Record<string, number>;
  /** Answered with anything but a 202 or a documented refusal, or not at all; of polls, with anything but a 200. */
  otherErrors: number;
  /** Those that came. */
  othersByKind: Record<string, number>;
  /** What was done a second, of the load's time: jobs started, or accepted where no worker runs. */
  goodPerSecond: number;
  /** From when a request was due to its answer. */
  acceptP50Ms: number;
  acceptP99Ms: number;
  pollP99Ms: number;
  /** By the clock of the server; left out where it does not tell. */
  refuseP50Ms?: number;
  refuseP99Ms?: number;
  /** From when it was sent, by that of the client. */
  refuseSeenP50Ms: number;
  refuseSeenP99Ms: number;
  /** How late the client itself sent. */
  lateP99Ms: number;
  /** From when the job was due to be sent to the first line of its handler; left out where no worker runs. */
  startP50Ms?: number;
  startP99Ms?: number;
  /** From the end of the load until all was done, or left out. */
  drainSeconds?: number;
  /** From the end of the load until times were normal again; as long as it was looked at where they were not. */
  recoverySeconds?: number;
}

export interface Observed {
  times: number;
  seconds: number;
  capacity: number;
  flooded: Flooded;
  /** `undefined`: no worker runs. */
  starts: ReadonlyMap<number, number> | undefined;
  answerTimes: readonly AnswerTime[];
}

/** Sums up one load. Throws where a job was accepted and never started. */
export function sumUp({ times, seconds, capacity, flooded, starts, answerTimes }: Observed): OfferedTimes {
  const { startedAt, unsent, unanswered, answers, polls } = flooded;
  const accepted = answers.filter(isAccepted);
  const refused = answers.filter(isRefusal);
  const endedAt = startedAt + seconds * 1_000;
  const good = starts ? [...starts.values()] : accepted.map(({ answeredAt }) => answeredAt);
  const acceptMs = accepted.map(({ dueAt, answeredAt }) => answeredAt - dueAt);
  const seenMs = refused.map(({ sentAt, answeredAt }) => answeredAt - sentAt);
  const others = [
    ...answers.filter((answer) => !isAccepted(answer) && !isRefusal(answer)),
    ...polls.filter((poll) => poll.status !== 200 && !isRefusal(poll)),
  ];
  return {
    times,
    sentTimes: (answers.length + unanswered) / seconds / capacity,
    offered: answers.length + unanswered + unsent,
    accepted: accepted.length,
    refused: refused.length,
    refusedByKind: countByKind(refused),
    otherErrors: others.length + unanswered,
    othersByKind: countByKind(others),
    goodPerSecond: ratePerSecond(good, startedAt, endedAt),
    acceptP50Ms: percentileOrNone(acceptMs, 0.5),
    acceptP99Ms: percentileOrNone(acceptMs, 0.99),
    pollP99Ms: percentileOrNone(
      polls.map(({ dueAt, answeredAt }) => answeredAt - dueAt),
      0.99,
    ),
    ...serverTimes(answerTimes),
    refuseSeenP50Ms: percentileOrNone(seenMs, 0.5),
    refuseSeenP99Ms: percentileOrNone(seenMs, 0.99),
    lateP99Ms: percentileOrNone(
      answers.map(({ dueAt, sentAt }) => sentAt - dueAt),
      0.99,
    ),
    ...(starts && startTimes(flooded, starts)),
  };
}

function serverTimes(times: readonly AnswerTime[]): Pick<OfferedTimes, 'refuseP50Ms' | 'refuseP99Ms'> {
  const refusals = times.filter(
    ({ method, status }) => method === 'POST' && (status === 429 || status === 503),
  );
  const tookMs = refusals.map((time) => time.tookMs);
  if (tookMs.length === 0) return {};
  return { refuseP50Ms: percentileOrNone(tookMs, 0.5), refuseP99Ms: percentileOrNone(tookMs, 0.99) };
}

function startTimes({ answers }: Flooded, starts: ReadonlyMap<number, number>) {
  const startMs = answers.filter(isAccepted).map(({ n, dueAt }) => {
    const at = starts.get(n);
    if (at === undefined) throw new Error(`Job ${n} was accepted and never started.`);
    return at - dueAt;
  });
  return { startP50Ms: percentileOrNone(startMs, 0.5), startP99Ms: percentileOrNone(startMs, 0.99) };
}
