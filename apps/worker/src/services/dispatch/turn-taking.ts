import type { DispatchTurn } from '@accepted/shared/ledger/jobs/dispatch-jobs';

/**
 * Remembers whether another dispatcher serves the queue. All dispatchers hear of new jobs at once, and if all of them
 * looked each time, most of what they read would be for nothing.
 */
export interface TurnTaking {
  /** Whether hints are left to another dispatcher for as long as its turns go on. */
  isFollowing(): boolean;
  /** Learns from a turn of its own. */
  tookTurn(turn: Pick<DispatchTurn, 'jobs' | 'lost' | 'round'>): void;
  /** Learns the queue's round without a turn; answers whether another dispatcher has taken turns since. */
  sawRound(round: number): boolean;
}

export function createTurnTaking(): TurnTaking {
  let following = false;
  let known: number | undefined;
  return {
    isFollowing: () => following,
    tookTurn({ jobs, lost, round }) {
      const othersTookTurns = known !== undefined && round !== known;
      if (jobs.length > 0) following = false;
      else if (lost || othersTookTurns) following = true;
      known = round;
    },
    sawRound(round) {
      const moved = round !== known;
      known = round;
      return moved;
    },
  };
}
