import { expect, test } from 'vitest';
import { gateOf } from './gates.ts';
import type { LineName } from './queue-lines.ts';
import { createQueuePicture, lookAnew, type Survey } from './queue-picture.ts';

const LINE: LineName = {
  ...{ tenantId: 'a', type: 'one', refusedBy: [], priority: 2, isNew: true, isKeyed: true, blockedBy: 'k' },
};
const GATE = gateOf.key('a', 'k');

function survey(holders: number): Survey {
  const flight = { tenantId: 'a', type: 'one', concurrencyKey: 'k', buildId: 'build', jobs: holders };
  return {
    ...{ epoch: '', snapshot: '', seenAt: '', round: 0, order: { present: 0, passes: [] } },
    lines: [{ ...LINE, placedBy: '1', jobs: null }],
    inFlight: holders === 0 ? [] : [flight],
  };
}

test.each([
  ['as many as before have its slots', 2, 2, false],
  ['one slot has come free', 2, 1, true],
  ['none of its jobs is in flight any more', 2, 0, true],
  ['none was in this queue, as another one has them', 0, 0, true],
])(
  'whoever looks anew looks at a full key again unless nothing has left it: %s',
  (_name, before, after, opens) => {
    const picture = createQueuePicture(survey(before));
    picture.lines.regroup(() => '0');
    picture.lines.gates.close(GATE, before === 0);
    expect(picture.order.isEmpty()).toBe(true);
    lookAnew(picture, survey(after));
    expect(picture.order.isEmpty()).toBe(!opens);
  },
);
