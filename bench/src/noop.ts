import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Payload } from './payload.ts';

/** The file in a contender's folder that gets a line for each start that was to be noted. */
export const STARTS_FILE = 'starts.jsonl';

export interface StartLine {
  n: number;
  /** Milliseconds since 1970, with fractions. */
  at: number;
}

/** Tells the time by the clock that all processes of a machine share, with fractions of a millisecond. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** What every handler does: nothing, or wait for as long as it is asked to, and write down when it began, if it is asked to. */
export function runNoop({ n, noteStart, workMs }: Payload): { n: number } | Promise<{ n: number }> {
  if (noteStart) {
    const line: StartLine = { n, at: now() };
    appendFileSync(join(process.env.BENCH_FOLDER ?? '.', STARTS_FILE), `${JSON.stringify(line)}\n`);
  }
  return workMs === undefined ? { n } : delay(workMs, { n });
}
