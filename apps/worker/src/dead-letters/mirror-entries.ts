import type { Database } from '@accepted/shared/database/connect';
import {
  type DeadLetterForMirror,
  listMirrored,
  listResolvedMirrored,
  listUnmirrored,
  setMirrored,
} from '@accepted/shared/database/mirrored-dead-letters';
import { publicId } from '@accepted/shared/job/id';
import { deadLetterQueueName, type Engine } from '@accepted/shared/queue/engine';
import { entryOf, MAX_SHOWN_PAYLOAD_BYTES } from './entry.ts';

const BATCH = 100;

/** Adds and removes the entries of a queue, a batch at a time, and answers how many. */
export interface MirrorEntries {
  showOpen(queue: string): Promise<number>;
  removeResolved(queue: string): Promise<number>;
}

/** Makes what keeps at most `maxShown` entries a queue: those of the newest dead letters. */
export function createMirrorEntries(db: Database, engine: Engine, maxShown: number): MirrorEntries {
  /** Adds entries first and marks them then: an entry added twice is one, one marked but not added is not seen. */
  async function showOpen(queue: string): Promise<number> {
    const entries = engine.queue(deadLetterQueueName(queue));
    const room = maxShown - (await entries.getJobCountByTypes('failed', 'waiting', 'active'));
    const letters = room > 0 ? await newest(queue, Math.min(room, BATCH)) : await makeWay(queue);
    const added = await Promise.allSettled(
      letters.map(async (letter) => {
        const { name, data, opts } = entryOf(letter);
        await entries.add(name, data, opts);
        return letter.id;
      }),
    );
    const shown = added.filter((result) => result.status === 'fulfilled').map((result) => result.value);
    await setMirrored(db, shown, true);
    const refused = added.find((result) => result.status === 'rejected');
    if (refused) throw refused.reason;
    return shown.length;
  }

  const newest = (queue: string, limit: number, newerThan?: string) =>
    listUnmirrored(db, queue, { limit, maxPayloadBytes: MAX_SHOWN_PAYLOAD_BYTES, newerThan });

  /** Removes the oldest entries for dead letters that are newer, and answers those. */
  async function makeWay(queue: string): Promise<DeadLetterForMirror[]> {
    const oldest = await listMirrored(db, queue, undefined, BATCH);
    if (oldest[0] === undefined) return [];
    const letters = await newest(queue, BATCH, oldest[0]);
    const replaced = oldest.filter((id, index) => id < (letters[index]?.id ?? ''));
    return letters.slice(0, await removeEntries(queue, replaced));
  }

  /** Removes entries, and says only then that they are not shown: one that stays would not be found again. */
  async function removeEntries(queue: string, ids: string[]): Promise<number> {
    const entries = engine.queue(deadLetterQueueName(queue));
    const isGone = await Promise.all(
      ids.map(async (id) => {
        const entryId = publicId('deadLetter', id);
        // An entry in the middle of its replay is locked: it goes by itself.
        await entries.remove(entryId);
        return (await entries.getJobState(entryId)) === 'unknown';
      }),
    );
    const gone = ids.filter((_, index) => isGone[index]);
    await setMirrored(db, gone, false);
    return gone.length;
  }

  return {
    showOpen,
    removeResolved: async (queue) => removeEntries(queue, await listResolvedMirrored(db, queue, BATCH)),
  };
}
