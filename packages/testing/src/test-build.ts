import type { LaneWindow } from '@accepted/shared/core/fairness/queue-picture';
import { DEFAULT_BACKOFF } from '@accepted/shared/core/job/backoff';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { registerBuild } from '@accepted/shared/ledger/workers/builds';

/** The build of workers that tests register by hand. */
export const TEST_BUILD = 'test-build';

/** Registers `TEST_BUILD`, or another build, as one that takes jobs of these types, whatever their payload is. */
export async function registerTestBuild(
  db: Database,
  types: string[] = ['test.noop'],
  { id = TEST_BUILD, queue = 'default', payloadSchema = {} } = {},
): Promise<void> {
  const defaults = { maxAttempts: 3, backoff: DEFAULT_BACKOFF, timeoutMs: 10_000 };
  await registerBuild(db, { id, types: types.map((type) => ({ type, queue, payloadSchema, defaults })) });
}

/** The one lane of a queue that `TEST_BUILD` alone serves. */
export function testLane(size: number): LaneWindow[] {
  return [{ buildId: TEST_BUILD, size }];
}
