import { runClosedLoop } from '../load/run-load.ts';
import { watchDrain } from '../world/drain.ts';
import type { Session } from '../world/session.ts';
import { CONNECTIONS, DRAIN_TIMEOUT_MS, USUAL_PAYLOAD_BYTES } from './sizes.ts';

/** What became of jobs that were submitted together; times in milliseconds since 1970. */
interface Drained {
  /** When the first was submitted. */
  startedAt: number;
  /** When the last outcome was seen. */
  endedAt: number;
  jobsPerSecond: number;
}

/** Submits jobs as fast as they are taken, and waits for their outcomes. */
export async function submitAndDrain(
  session: Session,
  jobs: number,
  more: { webhookUrl?: string } = {},
): Promise<Drained> {
  const { url, headers } = session.api;
  const target = { url, headers, connections: CONNECTIONS, payloadBytes: USUAL_PAYLOAD_BYTES };
  const { startedAt } = await runClosedLoop({ ...target, jobs, ...more });
  const seen = await watchDrain(session, DRAIN_TIMEOUT_MS);
  const endedAt = seen.at(-1)?.at ?? startedAt;
  return { startedAt, endedAt, jobsPerSecond: (jobs / (endedAt - startedAt)) * 1_000 };
}
