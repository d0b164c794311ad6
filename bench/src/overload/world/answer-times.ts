import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stores } from '../../world/stores.ts';

/** What `preload/time-answers.ts` writes into the folder of a contender. */
export const ANSWER_TIMES_FILE = 'answer-times.txt';

/** One answer, by the clock of the server. */
export interface AnswerTime {
  /** When the head of the request was read: milliseconds since 1970. */
  at: number;
  tookMs: number;
  status: number;
  method: string;
}

/** Reads what was noted so far; nothing of an API that notes nothing. */
export async function readAnswerTimes({ folder }: Pick<Stores, 'folder'>): Promise<AnswerTime[]> {
  const text = await readFile(join(folder, ANSWER_TIMES_FILE), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [at, tookMs, status, method = ''] = line.split(' ');
      return { at: Number(at), tookMs: Number(tookMs), status: Number(status), method };
    });
}

export async function forgetAnswerTimes({ folder }: Pick<Stores, 'folder'>): Promise<void> {
  await rm(join(folder, ANSWER_TIMES_FILE), { force: true });
}
