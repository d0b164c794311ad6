import { runPickUps } from '../load/run-load.ts';
import type { Measure } from './measure.ts';
import { WARM_UP_JOBS } from './sizes.ts';
import { submitAndDrain } from './submit-and-drain.ts';

/** How soon an idle worker starts a job. */
export const pickUp: Measure = {
  name: 'pick-up',
  title: 'Idle pick-up',
  explanation:
    'One job at a time on an idle system with one worker: from when its 202 has arrived to when its handler starts, and 0 when the handler was first.',
  mainFigure: 'p50Ms',
  appliesTo: ({ runsJobs }) => runsJobs,
  async run(session, size) {
    await session.startWorkers(1);
    await submitAndDrain(session, WARM_UP_JOBS);
    const { url, headers } = session.api;
    const { folder } = session.stores;
    const limits = { count: size.pickUps, seconds: size.pickUpSeconds };
    const { jobs, p50Ms, p99Ms } = await runPickUps({ url, headers, folder, ...limits });
    return [{ variant: {}, figures: { p50Ms, p99Ms, jobs } }];
  },
};
