import { type Table, writeFigure } from '../../report/table.ts';
import type { Overloaded } from './measure-bottleneck.ts';
import type { OfferedTimes } from './offered.ts';

type Column = [title: string, of: (step: OfferedTimes) => number | undefined];

const COLUMNS: readonly Column[] = [
  ['sent, ×', ({ sentTimes }) => sentTimes],
  ['202', ({ accepted }) => accepted],
  ['refused', ({ refused }) => refused],
  ['other', ({ otherErrors }) => otherErrors],
  ['done/s', ({ goodPerSecond }) => goodPerSecond],
  ['202 p50 ms', ({ acceptP50Ms }) => acceptP50Ms],
  ['202 p99 ms', ({ acceptP99Ms }) => acceptP99Ms],
  ['refusal p50 ms, server', ({ refuseP50Ms }) => refuseP50Ms],
  ['p99 ms, server', ({ refuseP99Ms }) => refuseP99Ms],
  ['p99 ms, client', ({ refused, refuseSeenP99Ms }) => (refused > 0 ? refuseSeenP99Ms : undefined)],
  ['client late p99 ms', ({ lateP99Ms }) => lateP99Ms],
  ['start p50 s', ({ startP50Ms }) => seconds(startP50Ms)],
  ['start p99 s', ({ startP99Ms }) => seconds(startP99Ms)],
  ['all done after s', ({ drainSeconds }) => drainSeconds],
];

/** A row for each contender and load. */
export function tabulateBottleneck(all: readonly Overloaded[]): Table {
  return {
    header: ['', ...COLUMNS.map(([title]) => title)],
    rows: all.flatMap(({ title, capacity, steps }) =>
      steps.map((step) => [
        `${title}, ${step.times} × ${writeFigure(capacity)}/s`,
        ...COLUMNS.map(([, of]) => write(of(step))),
      ]),
    ),
  };
}

const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1_000);
const write = (value: number | undefined) => (value === undefined ? '–' : writeFigure(value));
