import { runClosedLoop, runOpenLoop } from '../load/run-load.ts';
import type { Measure } from './measure.ts';
import { CONNECTIONS, USUAL_PAYLOAD_BYTES } from './sizes.ts';

/** How long a 202 takes at a given rate. */
export const rates: Measure = {
  name: 'rates',
  title: 'Accepting jobs at fixed rates',
  explanation:
    'Jobs are sent when they are due, whether or not the ones before are answered, and their latency counts from when they were due. No worker runs.',
  mainFigure: 'p99Ms',
  appliesTo: () => true,
  async run({ api: { url, headers } }, size) {
    const target = { url, headers, payloadBytes: USUAL_PAYLOAD_BYTES };
    await runClosedLoop({ ...target, connections: CONNECTIONS, seconds: size.warmUpSeconds });
    const results = [];
    for (const perSecond of size.ratesPerSecond) {
      const { p50Ms, p99Ms, unanswered } = await runOpenLoop({
        ...target,
        perSecond,
        seconds: size.rateSeconds,
      });
      results.push({ variant: { perSecond }, figures: { p50Ms, p99Ms, unansweredJobs: unanswered } });
    }
    return results;
  },
};
