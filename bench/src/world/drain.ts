import { setTimeout as delay } from 'node:timers/promises';
import { now } from '../noop.ts';
import type { Session } from './session.ts';

/** How many jobs were unfinished, and when. */
export interface Progress {
  at: number;
  unfinished: number;
}

const LOOK_MS = { least: 10, most: 100 };

/**
 * Watches until every job's outcome is committed; throws after `timeoutMs`. To look costs the contender something, so
 * it looks seldom while there is much to do, and often when the end is near.
 */
export async function watchDrain(
  { contender, stores }: Pick<Session, 'contender' | 'stores'>,
  timeoutMs: number,
): Promise<Progress[]> {
  const deadline = now() + timeoutMs;
  const seen: Progress[] = [];
  for (;;) {
    const unfinished = await contender.countUnfinished(stores);
    seen.push({ at: now(), unfinished });
    if (unfinished === 0) return seen;
    if (now() > deadline)
      throw new Error(`${contender.name} has ${unfinished} jobs to do after ${timeoutMs} ms.`);
    await delay(untilNextLook(seen));
  }
}

/** A quarter of the time that the rest should take at the present rate. */
function untilNextLook(seen: readonly Progress[]): number {
  const [before, last] = seen.slice(-2);
  const done = (before?.unfinished ?? 0) - (last?.unfinished ?? 0);
  if (!before || !last || done <= 0) return LOOK_MS.least;
  const restMs = (last.unfinished / done) * (last.at - before.at);
  return Math.min(LOOK_MS.most, Math.max(LOOK_MS.least, restMs / 4));
}

/**
 * Tells how fast jobs were finished once it ran well: from when a fifth was done, as a process that has just started
 * still compiles, to the end.
 */
export function steadyRate(seen: readonly Progress[]): number {
  const total = seen[0]?.unfinished ?? 0;
  const from = seen.find(({ unfinished }) => unfinished <= total * 0.8);
  const to = seen.at(-1);
  if (!from || !to || to.at <= from.at) throw new Error('The jobs were done too soon for a rate.');
  return ((from.unfinished - to.unfinished) / (to.at - from.at)) * 1_000;
}
