import type { QueuePicture } from '@accepted/shared/core/fairness/queue-picture';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { testLane } from '@accepted/testing/test-build';
import { expect } from 'vitest';

/** Brings a picture of the queue `default` up to date, by a turn that has no room for any job. */
export async function lookAgain(db: Database, picture: QueuePicture): Promise<QueuePicture> {
  return (await dispatchJobs(db, 'default', testLane(0), { picture })).picture;
}

/**
 * Compares a picture that was kept up to date with one that was just read. It may have lines that are empty by now, and
 * others may begin earlier than need be; it must not lack any.
 */
export function expectSame(kept: QueuePicture, read: QueuePicture): void {
  expect(flightOf(kept)).toEqual(flightOf(read));
  const keptLines = linesOf(kept);
  for (const [line, placedBy] of linesOf(read)) {
    expect([...keptLines.keys()]).toContain(line);
    expect(Number(keptLines.get(line))).toBeLessThanOrEqual(Number(placedBy));
  }
}

function flightOf({ flights }: QueuePicture): string[] {
  return flights
    .groups()
    .map((group) => JSON.stringify(group))
    .sort();
}

function linesOf({ lines }: QueuePicture): Map<string, bigint> {
  return new Map(lines.all().map(({ placedBy, jobs: _, ...line }) => [JSON.stringify(line), placedBy]));
}
