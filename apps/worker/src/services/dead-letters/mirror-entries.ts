import { publicId } from '@accepted/shared/core/job/id';
import type { Engine, ShelfEntry } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import {
  type DeadLetterForMirror,
  listMirrored,
  listResolvedMirrored,
  listUnmirrored,
  setMirrored,
} from '@accepted/shared/ledger/dead-letters/mirrored-dead-letters';
import { entryOf, MAX_SHOWN_PAYLOAD_BYTES } from './entry.ts';

const BATCH = 100;
/** How much is added between two looks at how full the engine is; a single entry may be larger. */
const BATCH_BYTES = 2 ** 20;

/** Adds and removes the entries of a queue, a batch at a time, and answers how many. */
export interface MirrorEntries {
  /** Two mirrors may each find the same room, and fill it: what is too many then goes, the oldest first. */
  showOpen(queue: string): Promise<number>;
  removeResolved(queue: string): Promise<number>;
  /** Takes the oldest entries away although their dead letters are open: they can be shown again later. */
  giveWay(queue: string): Promise<number>;
}

/** Makes what keeps at most `maxShown` entries a queue: those of the newest dead letters. */
export function createMirrorEntries(db: Database, engine: Engine, maxShown: number): MirrorEntries {
  /** Adds entries first and marks them then: an entry added twice is one, one marked but not added is not seen. */
  async function showOpen(queue: string): Promise<number> {
    const shelf = engine.shelf(queue);
    const room = maxShown - (await shelf.count());
    if (room < 0) return await hideOldest(queue, Math.min(-room, BATCH));
    const letters = room > 0 ? await newest(queue, Math.min(room, BATCH)) : await makeWay(queue);
    const added = await Promise.allSettled(
      withinBytes(letters).map(async ({ id, entry }) => {
        await shelf.add(entry);
        return id;
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
    const shelf = engine.shelf(queue);
    const isGone = await Promise.all(ids.map((id) => shelf.remove(publicId('deadLetter', id))));
    const gone = ids.filter((_, index) => isGone[index]);
    await setMirrored(db, gone, false);
    return gone.length;
  }

  const hideOldest = async (queue: string, limit: number) =>
    removeEntries(queue, await listMirrored(db, queue, undefined, limit));

  return {
    showOpen,
    removeResolved: async (queue) => removeEntries(queue, await listResolvedMirrored(db, queue, BATCH)),
    giveWay: (queue) => hideOldest(queue, BATCH),
  };
}

/** Makes the entries of the first letters, as many as may be added at once. */
function withinBytes(letters: DeadLetterForMirror[]) {
  let bytes = 0;
  const made: { id: string; entry: ShelfEntry }[] = [];
  for (const letter of letters) {
    const entry = entryOf(letter);
    bytes += JSON.stringify(entry.data).length;
    if (made.length > 0 && bytes > BATCH_BYTES) break;
    made.push({ id: letter.id, entry });
  }
  return made;
}
