import { runClosedLoop } from '../load/run-load.ts';
import { startCpuCount } from '../world/cpu.ts';
import { perJob } from './cpu-per-job.ts';
import type { Measure } from './measure.ts';
import { CONNECTIONS } from './sizes.ts';

/** How many jobs a second get a 202, and how long that takes under full load. */
export const accept: Measure = {
  name: 'accept',
  title: 'Accepting jobs',
  explanation:
    '64 connections, each of which sends the next job when the last one has its 202. No worker runs.',
  mainFigure: 'jobsPerSecond',
  appliesTo: () => true,
  async run(session, size) {
    const { url, headers } = session.api;
    const results = [];
    for (const payloadBytes of size.payloadsBytes) {
      const loop = { url, headers, connections: CONNECTIONS, payloadBytes };
      await runClosedLoop({ ...loop, seconds: size.warmUpSeconds });
      const readCpu = await startCpuCount(session);
      const answers = await runClosedLoop({ ...loop, seconds: size.acceptSeconds });
      const cpu = perJob(await readCpu(), answers.accepted);
      const { acceptedPerSecond: jobsPerSecond, p50Ms, p99Ms } = answers;
      results.push({ variant: { payloadBytes }, figures: { jobsPerSecond, p50Ms, p99Ms, ...cpu } });
    }
    return results;
  },
};
