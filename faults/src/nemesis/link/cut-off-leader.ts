import { waitUntil } from '@accepted/testing/wait-until';
import { listHolderPids } from '../../world/worker-rows.ts';
import type { Node, World } from '../../world/world.ts';
import type { Fault } from '../fault.ts';
import { hold, holdersOf } from '../targets.ts';
import { silencePostgres } from './cut-link.ts';

const DISPATCHER = 'dispatcher of ';
/** A lease of a service, and the time to find that it is free. */
const FOLLOWED_WITHIN_MS = 10_000;
/** The two race from then on. */
const BACK_AFTER_MS = { least: 200, most: 2_000 };

/**
 * Cuts a dispatcher off from the ledger for longer than its lease, so that another worker leads, and lets it come back: it believes
 * for a moment that it still does.
 */
export const cutOffLeader: Fault = {
  kind: 'leader-cut-off',
  async inject({ world, random }) {
    const leader = random.pick(await holdersOf(world, DISPATCHER));
    const cut = await cutOff(world, leader, DISPATCHER);
    try {
      const followedMs = await cut.untilFollowed();
      await hold(random, BACK_AFTER_MS.least, BACK_AFTER_MS.most);
      return { target: leader.name, proof: `${cut.proof}; another one led after ${followedMs} ms` };
    } finally {
      cut.heal();
    }
  },
};

/** A worker that hears nothing of the ledger, nor the ledger of it. */
export interface CutOff {
  proof: string;
  /** Resolves when others have what it had, with the milliseconds since the cut. */
  untilFollowed(): Promise<number>;
  heal(): void;
}

/** Cuts a worker off that has services whose names begin so. */
export async function cutOff(world: World, leader: Node, service: string): Promise<CutOff> {
  const proxy = leader.links.postgres;
  const cutAtMs = performance.now();
  const isFollowed = async () => {
    const pids = await world.ledger.ask((db) => listHolderPids(db, service));
    return pids.length > 0 && !pids.includes(leader.pid);
  };
  try {
    return {
      proof: await silencePostgres(proxy, leader.links.env.DATABASE_URL ?? ''),
      async untilFollowed() {
        await waitUntil(isFollowed, { until: 'another worker leads', timeoutMs: FOLLOWED_WITHIN_MS });
        return Math.round(performance.now() - cutAtMs);
      },
      heal: () => proxy.heal(),
    };
  } catch (error) {
    proxy.heal();
    throw error;
  }
}
