import { PRIORITIES } from '../job/priority.ts';
import { createSlowAnswers } from './slow-answers.ts';

/** Whose job is to be written. */
export interface Writer {
  tenantId: string;
  /** The more urgent the less. */
  priority: number;
}

/**
 * Limits how many jobs wait to be written or are being written, by how long the server takes to answer: the limit falls by a part of what
 * is there while the p95 is over a budget, and rises by a step while it is not (AIMD). Nothing is kept free: the least urgent may
 * have all of the limit, and each more urgent priority finds room beyond it, so that what is less urgent is refused first.
 */
export interface LatencyLimit {
  /** Notes that the server is asked to write a batch; the answer is called with the time when it has answered. */
  ask(nowMs: number): (nowMs: number) => void;
  /** Lets a job in; answers whether there was room. */
  enter(writer: Writer, nowMs: number): boolean;
  /** Is called once for each that was let in, when it was written or was not. */
  leave(writer: Writer): void;
  /** How many of the least urgent may be there. */
  size(): number;
}

export interface LatencyLimitOptions {
  budgetMs: number;
  /** However slow the server is, so many go on: they show whether it still is. */
  least: number;
  most: number;
}

const LEAST_URGENT = PRIORITIES.length - 1;
/**
 * Each priority has room for as many more, in parts of the limit. A third of what is there leaves with a batch, and must not be taken
 * by what is less urgent: so it is more than that.
 */
const ROOM_A_STEP = 1 / 2;
/** So much of the limit each priority has for itself: a flood of what is more urgent shuts nobody out. A tenant that has less has little. */
const OWN_PART = 1 / 10;
/** To fall to this part of what was there brings it down from `most` to `least` in two seconds and a half. */
const FALLS_TO = 0.7;
const RISES_BY = 25;

export function createLatencyLimit({ budgetMs, least, most }: LatencyLimitOptions): LatencyLimit {
  const answers = createSlowAnswers(budgetMs);
  const ofPriority = PRIORITIES.map(() => 0);
  const ofTenant = new Map<string, number>();
  let [size, inside, mostInside] = [most, 0, 0];
  let wasSlow = false;

  function follow(nowMs: number): void {
    const judged = answers.judge(nowMs);
    if (!judged) return;
    const { isSlow, windows } = judged;
    if (!isSlow) size = Math.min(most, size + RISES_BY * windows);
    // One slow window is a hiccup that is soon over; and where there are few it is not for them that it is slow.
    else if (wasSlow && mostInside > least)
      size = Math.max(least, Math.floor(FALLS_TO * Math.min(size, mostInside)));
    wasSlow = isSlow;
    mostInside = inside;
  }

  function hasRoom({ tenantId, priority }: Writer): boolean {
    if (inside < size) return true;
    const own = OWN_PART * size;
    if ((ofPriority[priority] ?? 0) < own) return true;
    // One that has little does not stand back for one of its own priority that has much.
    const isSmall = (ofTenant.get(tenantId) ?? 0) < own;
    const steps = LEAST_URGENT - priority + (isSmall ? 1 : 0);
    return inside < size * (1 + ROOM_A_STEP * steps);
  }

  function count({ tenantId, priority }: Writer, jobs: 1 | -1): void {
    inside += jobs;
    ofPriority[priority] = (ofPriority[priority] ?? 0) + jobs;
    const sum = (ofTenant.get(tenantId) ?? 0) + jobs;
    if (sum > 0) ofTenant.set(tenantId, sum);
    else ofTenant.delete(tenantId);
  }

  return {
    ask(nowMs) {
      follow(nowMs);
      const answered = answers.ask(nowMs);
      return (answeredAtMs) => {
        answered(answeredAtMs);
        follow(answeredAtMs);
      };
    },
    enter(writer, nowMs) {
      follow(nowMs);
      if (!hasRoom(writer)) return false;
      count(writer, 1);
      mostInside = Math.max(mostInside, inside);
      return true;
    },
    leave: (writer) => count(writer, -1),
    size: () => size,
  };
}
