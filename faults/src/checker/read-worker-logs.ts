import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { textLines } from './text-lines.ts';

/** What a worker said that the checker has to know; each is a sentence of its log. */
export const SENTENCES = {
  /** The ledger did not take the outcome: this attempt does not hold the job any more. */
  fenced: 'fenced: somebody else holds the job',
  /** The worker knew that its lease was lost, and did not try. */
  discarded: 'the lease was lost during the attempt',
  /** It was given no work although there was some, and ends itself. */
  deaf: 'jobs wait in the engine and this worker hears of none',
} as const;

/** Without a time: the worker's clock may be one of the faults. */
export interface WorkerSaying {
  what: keyof typeof SENTENCES;
  pid: number;
  /** The attempt that it is about; `null` when it is about the worker. */
  jobId: string | null;
  attempt: number | null;
}

/** Reads the logs of all workers; a line that a kill cut short says nothing. */
export async function readWorkerLogs(folder: string): Promise<WorkerSaying[]> {
  const files = (await readdir(folder)).filter((name) => name.startsWith('worker-'));
  const sayings: WorkerSaying[] = [];
  for (const file of files) {
    for await (const text of textLines(join(folder, file))) {
      const saying = understand(text);
      if (saying) sayings.push(saying);
    }
  }
  return sayings;
}

function understand(text: string): WorkerSaying | undefined {
  const [what] = (Object.keys(SENTENCES) as WorkerSaying['what'][]).filter((name) =>
    text.includes(`"msg":"${SENTENCES[name]}`),
  );
  const line = what && parseWhole(text);
  if (!line) return undefined;
  return { what, pid: line.pid, jobId: line.jobId ?? null, attempt: line.attempt ?? null };
}

function parseWhole(text: string): { pid: number; jobId?: string; attempt?: number } | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
