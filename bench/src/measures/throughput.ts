import { startCpuCount } from '../world/cpu.ts';
import { perJob } from './cpu-per-job.ts';
import type { Measure } from './measure.ts';
import { WARM_UP_JOBS } from './sizes.ts';
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
      const cold = await submitAndDrain(session, WARM_UP_JOBS);
      const warm = await submitAndDrain(session, jobsIn(size.warmUpSeconds, cold.jobsPerSecond));
      const jobs = jobsIn(size.throughputSeconds, warm.jobsPerSecond);
      const readCpu = await startCpuCount(session);
      const { jobsPerSecond } = await submitAndDrain(session, jobs);
      const cpu = perJob(await readCpu(), jobs);
      results.push({ variant: { workers }, figures: { jobsPerSecond, ...cpu } });
    }
    return results;
  },
};

function jobsIn(seconds: number, jobsPerSecond: number): number {
  return Math.max(WARM_UP_JOBS, Math.round(jobsPerSecond * seconds));
}
