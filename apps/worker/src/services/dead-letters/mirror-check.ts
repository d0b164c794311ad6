import { parsePublicId, publicId } from '@accepted/shared/core/job/id';
import type { Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import {
  listMirrored,
  selectUnmarked,
  setMirrored,
} from '@accepted/shared/ledger/dead-letters/mirrored-dead-letters';

const PAGE = 200;

/**
 * Makes the function that compares some of a queue's entries with the ledger, and others each time: it has gone
 * through all of them after a while.
 *
 * An engine can lose entries, or go back in time when an old dump of Redis is restored, without being empty. So an
 * entry that is missing is shown again, and never means that somebody removed it. One of which the ledger does not
 * know, as a mirror died or another wrote over it, is written down: only then it leaves when it is resolved, or old.
 */
export function createMirrorCheck(db: Database, engine: Engine): (queue: string) => Promise<void> {
  const lastIds = new Map<string, string>();
  const offsets = new Map<string, number>();

  async function showMissing(queue: string): Promise<void> {
    const ids = await listMirrored(db, queue, lastIds.get(queue), PAGE);
    const missing = await engine.shelf(queue).missing(ids.map((id) => publicId('deadLetter', id)));
    await setMirrored(db, deadLettersOf(missing), false);
    const lastId = ids.length === PAGE ? ids.at(-1) : undefined;
    if (lastId === undefined) lastIds.delete(queue);
    else lastIds.set(queue, lastId);
  }

  async function noteUnmarked(queue: string): Promise<void> {
    const offset = offsets.get(queue) ?? 0;
    const entryIds = await engine.shelf(queue).list(offset, PAGE);
    await setMirrored(db, await selectUnmarked(db, deadLettersOf(entryIds)), true);
    offsets.set(queue, entryIds.length === PAGE ? offset + PAGE : 0);
  }

  return async (queue) => {
    await showMissing(queue);
    await noteUnmarked(queue);
  };
}

function deadLettersOf(entryIds: string[]): string[] {
  return entryIds.map((id) => parsePublicId('deadLetter', id)).filter((id) => id !== undefined);
}
