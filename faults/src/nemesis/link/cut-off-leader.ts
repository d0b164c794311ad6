import { waitUntil } from '@accepted/testing/wait-until';
import { listHolderPids } from '../../world/worker-rows.ts';
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
    const proxy = leader.links.postgres;
    if (!proxy) throw new Error(`${leader.name} has no link to Postgres`);
    const cutAtMs = performance.now();
    const isFollowed = async () => {
      const pids = await world.ledger.ask((db) => listHolderPids(db, DISPATCHER));
      return pids.length > 0 && !pids.includes(leader.pid);
    };
    try {
      const proof = await silencePostgres(proxy, leader.links.env.DATABASE_URL ?? '');
      await waitUntil(isFollowed, { until: 'another worker leads', timeoutMs: FOLLOWED_WITHIN_MS });
      const followedMs = Math.round(performance.now() - cutAtMs);
      await hold(random, BACK_AFTER_MS.least, BACK_AFTER_MS.most);
      return { target: leader.name, proof: `${proof}; another one led after ${followedMs} ms` };
    } finally {
      proxy.heal();
    }
  },
};
