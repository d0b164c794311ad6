import { startCpuCount } from '../world/cpu.ts';
import { perJob } from './cpu-per-job.ts';
import type { Measure } from './measure.ts';
import { submitAndDrain } from './submit-and-drain.ts';

/** How many jobs a second go all the way, while they are being submitted. */
export const throughput: Measure = {
  name: 'throughput',
  title: 'From submission to committed result: throughput',
  explanation:
    'Jobs over the time from the first submission to the last committed outcome, with 64 connections that submit as fast as they are answered.',
  mainFigure: 'jobsPerSecond',
  appliesTo: ({ runsJobs }) => runsJobs,
  async run(session, size) {
    const results = [];
    for (const workers of size.workers) {
      await session.startWorkers(workers);
      await submitAndDrain(session, Math.ceil(size.throughputJobs / 4));
      const readCpu = await startCpuCount(session);
      const { jobsPerSecond } = await submitAndDrain(session, size.throughputJobs);
      const cpu = perJob(await readCpu(), size.throughputJobs);
      results.push({ variant: { workers }, figures: { jobsPerSecond, ...cpu } });
    }
    return results;
  },
};
