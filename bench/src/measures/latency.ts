import { runOpenLoop } from '../load/run-load.ts';
import { percentile } from '../statistics/spread.ts';
import { watchDrain } from '../world/drain.ts';
import type { Measure } from './measure.ts';
import { DRAIN_TIMEOUT_MS, USUAL_PAYLOAD_BYTES, WARM_UP_JOBS } from './sizes.ts';
import { submitAndDrain } from './submit-and-drain.ts';

/** How long it takes from when a job is due to be sent to when its outcome is committed, at a moderate rate. */
export const latency: Measure = {
  name: 'latency',
  title: 'From submission to committed result: latency',
  explanation:
    'Jobs are sent at an even, moderate rate to one worker; the time runs from when a job was due to be sent to the commit of its outcome.',
  mainFigure: 'p99Ms',
  appliesTo: ({ runsJobs }) => runsJobs,
  async run(session, size) {
    const { contender, stores, api } = session;
    const perSecond = size.latencyPerSecond;
    await session.startWorkers(1);
    await submitAndDrain(session, WARM_UP_JOBS);
    await contender.rememberOutcomes?.(stores);
    const { url, headers } = api;
    const target = { url, headers, payloadBytes: USUAL_PAYLOAD_BYTES, WARM_UP_JOBS };
    const { startedAt, accepted } = await runOpenLoop({ ...target, perSecond, seconds: size.latencySeconds });
    await watchDrain(session, DRAIN_TIMEOUT_MS);
    // Those that warmed it up were finished before.
    const outcomes = (await contender.listOutcomes(stores)).filter(({ at }) => at >= startedAt);
    if (outcomes.length !== accepted)
      throw new Error(`${contender.name} accepted ${accepted} jobs and finished ${outcomes.length}.`);
    const latencies = outcomes.map(({ n, at }) => at - (startedAt + (n / perSecond) * 1_000));
    const figures = { p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
    return [{ variant: { perSecond }, figures }];
  },
};
