import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parsePublicId } from '@accepted/shared/core/job/id';
import { onTestFinished } from 'vitest';
import { LOG_FILES, LOG_FOLDER } from '../../logs.ts';
import type { Evidence } from '../evidence.ts';
import { SENTENCES, type WorkerSaying } from '../read-worker-logs.ts';

const jsonLines = (lines: unknown[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

/** Says it as a worker does. */
const say = ({ what, pid, jobId, attempt }: WorkerSaying) => ({
  pid,
  ...(jobId !== null && { jobId: parsePublicId('job', jobId) }),
  ...(attempt !== null && { attempt }),
  msg: SENTENCES[what],
});

/** Writes a run into a folder as the harness leaves it, its effects in the files of two processes. */
export async function writeRun(evidence: Evidence): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-checker-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'ledger'));
  await mkdir(join(folder, 'log'));
  const { run, effects, sayings, hits, ...rest } = evidence;
  await writeFile(join(folder, LOG_FILES.run), JSON.stringify(run));
  await writeFile(join(folder, LOG_FILES.receiver), jsonLines(hits));
  await writeFile(join(folder, 'effects-7.jsonl'), jsonLines(effects.slice(0, 1)));
  await writeFile(join(folder, 'effects-8.jsonl'), jsonLines(effects.slice(1)));
  await writeFile(join(folder, LOG_FOLDER, 'worker-1.log'), jsonLines(sayings.map(say)));
  for (const [name, lines] of Object.entries(rest))
    await writeFile(join(folder, LOG_FILES[name as keyof typeof rest]), jsonLines(lines));
  return folder;
}
