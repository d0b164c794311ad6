import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Api } from '../contenders/contender.ts';
import type { BodyOptions } from '../payload.ts';
import { spawnProgram } from '../world/spawn-program.ts';

/** Requests that are sent when they are due, whether or not others were refused; the jobs are numbered from `firstN` on. */
export type Flood = Pick<Api, 'url' | 'headers'> &
  Pick<BodyOptions, 'payloadBytes' | 'workMs'> & {
    perSecond: number;
    seconds: number;
    firstN: number;
    /** Where the answers go. */
    file: string;
  };

/** Times are milliseconds since 1970. */
export interface FloodAnswer {
  n: number;
  dueAt: number;
  sentAt: number;
  answeredAt: number;
  /** 0: the connection broke. */
  status: number;
  retryAfterSeconds: number;
}

export interface Flooded {
  startedAt: number;
  unanswered: number;
  answers: FloodAnswer[];
}

export async function runFlood(folder: string, flood: Omit<Flood, 'file'>): Promise<Flooded> {
  const file = join(folder, 'flood.json');
  await using client = spawnProgram('bench/src/overload/flood-process.ts', {
    args: [JSON.stringify({ ...flood, file })],
  });
  const { code } = await client.exited;
  if (code !== 0) throw new Error(`The flood failed:\n${client.lines.join('\n')}`);
  return JSON.parse(await readFile(file, 'utf8'));
}
