import { runClosedLoop } from '../load/run-load.ts';
import { steadyRate, watchDrain } from '../world/drain.ts';
import type { Measure } from './measure.ts';
import { CONNECTIONS, DRAIN_TIMEOUT_MS, USUAL_PAYLOAD_BYTES } from './sizes.ts';

/** How fast one worker process works off what is queued, with the machine to itself. */
export const worker: Measure = {
  name: 'worker',
  title: 'A worker alone',
  explanation:
    'One worker process and a backlog of no-op jobs: jobs a second from when a fifth of them was done. Naive BullMQ here is a bare BullMQ worker.',
  mainFigure: 'jobsPerSecond',
  appliesTo: ({ runsJobs }) => runsJobs,
  async run(session, size) {
    const { url, headers } = session.api;
    const target = { url, headers, connections: CONNECTIONS, payloadBytes: USUAL_PAYLOAD_BYTES };
    await runClosedLoop({ ...target, jobs: size.workerJobs });
    const started = session.startWorkers(1);
    const seen = await watchDrain(session, DRAIN_TIMEOUT_MS);
    await started;
    return [{ variant: { workers: 1 }, figures: { jobsPerSecond: steadyRate(seen) } }];
  },
};
