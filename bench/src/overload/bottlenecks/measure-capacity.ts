import { DRAIN_TIMEOUT_MS } from '../../measures/sizes.ts';
import { watchDrain } from '../../world/drain.ts';
import type { Session } from '../../world/session.ts';
import { isAccepted, ratePerSecond } from '../load/figures.ts';
import { type Flooding, runFlood } from '../load/run-flood.ts';
import { forgetStarts, readStarts } from '../world/starts.ts';

/** What has just been started compiles what it runs. */
const WARM_UP_MS = 1_000;

/** What can be done a second while there is always more to do: jobs started where a worker runs, jobs accepted where none does. */
export async function measureCapacity(session: Session, flooding: Flooding): Promise<number> {
  const { startedAt, answers } = await runFlood(session, flooding);
  // On a machine that others use as well the API, or its database, may be late; what is done all the same is what can be done.
  const failed = answers.find((answer) => !isAccepted(answer) && answer.status !== 503);
  if (failed) {
    const { status, code = 'no code' } = failed;
    throw new Error(`A job was answered with ${status}, ${code}, while nothing bounds them.`);
  }
  const [from, to] = [startedAt + WARM_UP_MS, startedAt + flooding.load.seconds * 1_000];
  if (session.workers.length === 0)
    return ratePerSecond(
      answers.map(({ answeredAt }) => answeredAt),
      from,
      to,
    );
  await watchDrain(session, DRAIN_TIMEOUT_MS);
  const starts = await readStarts(session.stores);
  await forgetStarts(session.stores);
  return ratePerSecond(starts.values(), from, to);
}
