import { expect, test } from 'vitest';
import type { AdaptiveLimit } from './adaptive-limits.ts';
import { chooseJobs, limitedTypesThatWait } from './choose-jobs.ts';
import { createQueuePicture, groupLines, type PlacedJobs, type QueuePicture } from './queue-picture.ts';

const LINE = { refusedBy: [], priority: 2, isNew: true, isKeyed: false, blockedBy: null };
const ROOM = 20;

function line(tenantId: string, type: string, jobs: number, placedBy = '1'): PlacedJobs {
  return { ...LINE, tenantId, type, jobs, placedBy };
}

/** Each of the lanes has a job of the type `held` in flight. */
function pictureOf(lines: PlacedJobs[], lanes = ['0']): QueuePicture {
  const picture = createQueuePicture({
    ...{ epoch: '', snapshot: '', seenAt: '', round: 0, order: { present: 0, passes: [] } },
    inFlight: lanes.map((buildId) => ({
      ...{ tenantId: 'else', type: 'held', concurrencyKey: null },
      ...{ buildId, jobs: 1 },
    })),
    lines,
  });
  picture.builds.set('0', new Map(['held', 'other'].map((type) => [type, 'schema'])));
  return picture;
}

/** Answers how many of which line were chosen. */
function choose(picture: QueuePicture, held: AdaptiveLimit): Record<string, number> {
  picture.adaptiveLimits = new Map([['held', held]]);
  const windows = [{ buildId: '0', size: ROOM }];
  groupLines(picture, windows, ['held']);
  const { lines } = chooseJobs(picture, windows);
  return Object.fromEntries(
    lines.map(({ line: { tenantId, type }, lanes }) => [`${tenantId} ${type}`, lanes.length]),
  );
}

test('of a type that is held down go as many as may be in flight in all lanes, of whatever tenants, and it hides no others', () => {
  const lines = [line('a', 'held', 9), line('b', 'held', 9), line('b', 'other', 5), line('c', 'other', 5)];
  const picture = pictureOf(lines, ['0', '1']);
  const chosen = choose(picture, { most: 4, yields: false });
  expect(chosen).toEqual({ 'a held': 1, 'b held': 1, 'b other': 5, 'c other': 5 });
  expect([...limitedTypesThatWait(picture)]).toEqual(['held']);
});

test('what one that yields may have beyond its limit is what nobody else has a turn for', () => {
  const yields = { most: 4, yields: true };
  const older = line('a', 'held', 30, '1');
  const room = ROOM - 1;
  expect(choose(pictureOf([older, line('a', 'other', 30, '2')]), yields)).toEqual({
    'a held': 3,
    'a other': room - 3,
  });
  expect(choose(pictureOf([older, line('a', 'other', 3, '2')]), yields)).toEqual({
    'a held': room - 3,
    'a other': 3,
  });
});
