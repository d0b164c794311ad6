// The control's worker, as a tutorial on BullMQ writes it: default options, but for the concurrency that a worker of
// Accepted has by default.
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Job, UnrecoverableError, Worker } from 'bullmq';
import type { EffectLine } from '../logs.ts';
import { controlConfig, QUEUE } from './config.ts';

const CONCURRENCY = 20;

interface Payload {
  workMs?: number;
  failures?: number;
}

/** Does what the handlers of the suite do, as far as BullMQ has it: it knows no timeouts, so nothing hangs here. */
async function run(job: Job<Payload>): Promise<{ token: number }> {
  const { workMs = 0, failures = 0 } = job.data;
  logEffect(job, 'start');
  if (job.name === 'faults.permanent') throw new UnrecoverableError('What this job needs is broken.');
  if (job.attemptsMade < failures) throw new Error('This attempt was asked to fail.');
  if (workMs > 0) await delay(workMs);
  logEffect(job, 'effect');
  return { token: job.attemptsStarted };
}

function logEffect(job: Job, phase: EffectLine['phase']): void {
  const { pid } = process;
  const line: EffectLine = { at: Date.now(), pid, jobId: job.id ?? '', token: job.attemptsStarted, phase };
  appendFileSync(`effects-${pid}.jsonl`, `${JSON.stringify(line)}\n`);
}

const connection = { url: controlConfig.REDIS_URL };
const worker = new Worker<Payload>(QUEUE, run, { connection, concurrency: CONCURRENCY });
worker.on('error', () => undefined);
await worker.waitUntilReady();
process.stdout.write('worker started\n');
