import { type Job, RATE_LIMIT_ERROR } from 'bullmq';
import { z } from 'zod';
import { digitsOf } from '../core/json/exact-numbers.ts';
import type { BullmqStore } from './bullmq-store.ts';
import type { Shelf, ShelfEntry } from './engine.ts';
import { shelfName } from './names.ts';

/** The part of an entry that its run needs; the rest is for the operator to read. */
const failedEntry = z.object({ error: z.object({ message: z.string(), stack: z.string().optional() }) });

/**
 * Opens the shelf of a queue: a BullMQ queue in whose failed set entries stand. An entry's first run fails with the error that
 * its job died of: that is what puts it there as if it were the job. A later run is there because somebody retried it, and is
 * the replay; then the entry is done, and goes.
 */
export function openShelf(store: BullmqStore, queue: string): Shelf {
  const name = shelfName(queue);
  const entries = store.queue(name);
  const isGone = async (id: string) => (await entries.getJobState(id)) === 'unknown';

  return {
    count: () => entries.getJobCountByTypes('failed', 'waiting', 'active'),
    async add(entry) {
      await entries.add(entry.title, storable(entry.data), optionsOf(entry));
    },
    async missing(ids) {
      const areGone = await Promise.all(ids.map(isGone));
      return ids.filter((_, index) => areGone[index]);
    },
    list: (offset, count) => entries.getRanges(['failed'], offset, offset + count - 1),
    async remove(id) {
      // An entry in the middle of its replay is locked: it goes by itself.
      await entries.remove(id);
      return await isGone(id);
    },
    consume(replay, options) {
      const worker = store.openWorker(name, (entry) => runEntry(entry, replay), options);
      return { pause: () => worker.pause(true), close: () => worker.close(true) };
    },
  };
}

/**
 * Replaces what BullMQ's Postgres engine cannot store, NUL and halves of surrogate pairs: one entry that is refused
 * time and again would never be seen. A number of more digits than a double holds is shown as text: BullMQ parses what
 * it stores, and the browser does so again.
 */
function storable(value: unknown): unknown {
  const digits = digitsOf(value);
  if (digits !== undefined) return digits;
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\ufffd');
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [storable(key), storable(item)]));
}

function optionsOf({ id, diedAt }: ShelfEntry) {
  return {
    jobId: id,
    timestamp: diedAt.getTime(),
    attempts: 1,
    removeOnComplete: true,
    removeOnFail: false,
    stackTraceLimit: 1,
  };
}

async function runEntry(
  entry: Pick<Job, 'id' | 'data' | 'attemptsMade' | 'log'>,
  replay: (id: string) => Promise<void>,
): Promise<void> {
  // Only the end of a run counts in `attemptsMade`. A first run that was lost with its worker is delivered again
  // with 0, so it can never pass for a retry.
  if (entry.attemptsMade === 0) throw originalError(entry.data);
  try {
    await replay(entry.id ?? '');
  } catch (error) {
    await entry.log(`The replay failed and can be tried again: ${String(error)}`).catch(() => undefined);
    // The entry stands again as it did: what the operator came for is the job's error, not ours.
    throw originalError(entry.data);
  }
}

/** Gives back the error that the job died of, from the data of its entry. */
function originalError(data: unknown): Error {
  const { message, stack } = failedEntry.parse(data).error;
  // BullMQ takes an error with exactly this message as an order to try again later, for ever.
  const error = new Error(message === RATE_LIMIT_ERROR ? `Error: ${message}` : message);
  error.stack = stack ?? message;
  return error;
}
