import { publicId } from '@accepted/shared/core/job/id';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { readBacklogs } from '@accepted/shared/ledger/limits/backlogs';
import { waitUntil } from '@accepted/testing/wait-until';
import { findWrongBacklogs } from '@accepted/testing/wrong-backlogs';
import type { World } from './world/world.ts';

/** What was told is lost in a crash of Postgres, and whoever finds that counts anew. */
const COUNTED_WITHIN_MS = 15_000;

/** Compares what the ledger tells of its live jobs, by queue and tenant, with those that there are; answers a sentence for each difference. */
export async function listWrongBacklogs({ ledger }: Pick<World, 'ledger'>): Promise<string[]> {
  try {
    await waitUntil(() => ledger.ask(isCounted), {
      until: 'the live jobs are counted',
      timeoutMs: COUNTED_WITHIN_MS,
    });
  } catch {
    return ['Nobody has counted the live jobs since Postgres lost what was told of them.'];
  }
  const wrong = await ledger.ask(findWrongBacklogs);
  return wrong.map(
    ({ queue, tenantId, told, live }) =>
      `The ledger tells of ${told} live jobs of ${publicId('tenant', tenantId)} in ${queue}, and there are ${live}.`,
  );
}

async function isCounted(db: Database): Promise<boolean> {
  return (await readBacklogs(db, [])).isCounted;
}
