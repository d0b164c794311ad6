import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { defineJob } from '@accepted/job';
import { z } from 'zod';

const LOOK_EVERY_MS = 20;

let runsInThisProcess = 0;

/** Runs until `gate` exists; says in `file` under which process id, and as the how manieth run of that process. */
export default defineJob({
  type: 'test.wait-for-file',
  payload: z.object({ file: z.string(), gate: z.string() }),
  timeoutMs: 120_000,
  retry: { maxAttempts: 1 },
  async run({ file, gate }, ctx) {
    runsInThisProcess += 1;
    appendFileSync(file, `${ctx.job.id} ${process.pid} ${runsInThisProcess}\n`);
    while (!existsSync(gate)) await delay(LOOK_EVERY_MS, undefined, { signal: ctx.signal });
    return { token: ctx.fencingToken };
  },
});
