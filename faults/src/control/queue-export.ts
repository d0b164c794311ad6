import { writeFile } from 'node:fs/promises';
import { type JobType, Queue } from 'bullmq';
import { QUEUE } from './config.ts';

/** One job that the control's Redis still knows when the run is over; `queue.jsonl` has one a line. */
export interface QueuedJob {
  jobId: string;
  state: JobType;
  failedReason: string | null;
}

const STATES: JobType[] = ['completed', 'failed', 'waiting', 'active', 'delayed'];
const PAGE = 5_000;

/** Opens the control's queue as an operator does, past the processes. */
export function openControlQueue(redisUrl: string): Queue {
  const queue = new Queue(QUEUE, { connection: { url: redisUrl } });
  queue.on('error', () => undefined);
  return queue;
}

/** Counts the jobs that are not done. */
export async function countOpen(queue: Queue): Promise<number> {
  return await queue.getJobCountByTypes('waiting', 'active', 'delayed', 'prioritized');
}

/** Writes down what Redis knows of all jobs. */
export async function exportQueue(queue: Queue, file: string): Promise<void> {
  const lines: string[] = [];
  for (const state of STATES) {
    for (let from = 0; ; from += PAGE) {
      const jobs = await queue.getJobs([state], from, from + PAGE - 1);
      for (const job of jobs.filter(Boolean)) lines.push(JSON.stringify(describe(state, job)));
      if (jobs.length < PAGE) break;
    }
  }
  await writeFile(file, lines.map((line) => `${line}\n`).join(''));
}

function describe(state: JobType, job: { id?: string; failedReason?: string }): QueuedJob {
  return { jobId: job.id ?? '', state, failedReason: job.failedReason ?? null };
}
