import { DRAIN_TIMEOUT_MS } from '../../measures/sizes.ts';
import { submitAndDrain } from '../../measures/submit-and-drain.ts';
import { watchDrain } from '../../world/drain.ts';
import type { Servers } from '../../world/servers.ts';
import { openSession, type Session } from '../../world/session.ts';
import { BEYOND_WORKERS, BOUND_SECONDS, SLOTS } from '../bottlenecks/bottleneck.ts';
import { measureCapacity } from '../bottlenecks/measure-capacity.ts';
import type { Flooded } from '../load/flood.ts';
import { MIXED_KINDS, type Mix, type Sender } from '../load/mix.ts';
import { type Flooding, runFlood } from '../load/run-flood.ts';
import { acceptedOverloaded, slotsOf } from './accepted-overloaded.ts';
import { layDown } from './operate.ts';
import { forgetStarts, readStarts } from './starts.ts';

/** An installation of which the workers are the bottleneck: what they can do a second, and who has the first key. */
export interface BusyWorkers extends AsyncDisposable {
  readonly session: Session;
  readonly capacity: number;
  readonly sender: Sender;
  /** Floods it, and waits until all is done. */
  offer(load: Omit<Flooding, 'firstN'>): Promise<Offered>;
}

export interface Offered {
  flooded: Flooded;
  /** When handlers began, by the numbers of the jobs. */
  starts: Map<number, number>;
}

const WARM_UP_JOBS = 500;
const NUMBERS_A_LOAD = 10_000_000;
const SMALL = [{ bytes: 200, weight: 1 }];

/** What one tenant sends: kinds of all lengths, none of them large. */
export function plainMix(sender: Sender, more: Partial<Mix> = {}): Mix {
  return { kinds: MIXED_KINDS, senders: [sender], payloads: SMALL, ...more };
}

/** Opens an installation with one worker, and finds out what it can do. */
export async function openBusyWorkers(servers: Servers, capacitySeconds: number): Promise<BusyWorkers> {
  await using stack = new AsyncDisposableStack();
  const session = stack.use(await openSession(servers, acceptedOverloaded));
  await session.startWorkers(1, slotsOf(SLOTS));
  await submitAndDrain(session, WARM_UP_JOBS);
  const sender = { name: 'all', headers: session.api.headers, weight: 1 };
  const load = { ...BEYOND_WORKERS, seconds: capacitySeconds };
  const capacity = await measureCapacity(session, { mix: plainMix(sender), load, firstN: 0 });
  let loads = 0;
  const owned = stack.move();
  return {
    session,
    capacity,
    sender,
    async offer(load) {
      await forgetStarts(session.stores);
      loads += 1;
      const flooded = await runFlood(session, { ...load, firstN: loads * NUMBERS_A_LOAD });
      await watchDrain(session, DRAIN_TIMEOUT_MS);
      return { flooded, starts: await readStarts(session.stores) };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Lets as many jobs wait as are done in two seconds. */
export async function boundQueue({ session, capacity }: BusyWorkers): Promise<void> {
  await layDown(session.api, '/v1/queues/default', { maxBacklog: Math.round(capacity * BOUND_SECONDS) });
}
