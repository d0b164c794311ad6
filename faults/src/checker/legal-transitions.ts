import type { Evidence } from './evidence.ts';
import { groupBy, type Verdict } from './verdict.ts';

const ENOUGH_TO_REPLAY = 4;

/**
 * I6: nothing goes where the table of statuses does not lead, and nothing leaves a terminal status but by a replay
 * that stands in the audit log. The trigger of the suite has written down each move that could be wrong.
 */
export function checkLegalTransitions({ transitions, replays, jobs, deadLetters }: Evidence): Verdict {
  const replaysOf = groupBy(replays, (replay) => replay.jobId);
  const isReplay = (line: { from: string; to: string }) => line.from === 'failed' && line.to === 'queued';
  const illegal = transitions
    .filter((line) => !isReplay(line))
    .map((line) => `${line.jobId} went from ${line.from} to ${line.to}.`);
  const moves = groupBy(transitions.filter(isReplay), (line) => line.jobId);
  for (const { jobId, replayRound } of jobs) {
    const replayed = Math.max(moves.get(jobId)?.length ?? 0, replayRound);
    const audited = replaysOf.get(jobId)?.length ?? 0;
    if (replayed > audited)
      illegal.push(`${jobId} left a terminal status ${replayed} times with ${audited} audited replays.`);
  }
  // The suite replays most of them. A run without one has not tried the only way out of a terminal status.
  const replayable = deadLetters.filter((letter) => letter.reason === 'permanent_error').length;
  if (replayable >= ENOUGH_TO_REPLAY && replays.length === 0)
    illegal.push(`None of ${replayable} dead letters was replayed.`);
  return {
    id: 'I6',
    holds: 'Nothing leaves a terminal status but by an audited replay.',
    figures: { illegalTransitions: illegal.length, auditedReplays: replays.length },
    violations: illegal,
  };
}
