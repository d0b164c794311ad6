import { drawFrame, line, lineMark, PLOT, path } from '@accepted/faults/report/plots/frame';
import { scaleLog } from 'd3-scale';
import { line as linePath } from 'd3-shape';
import type { BacklogMemory } from './measure-redis-memory.ts';

const MB = 1_048_576;
const BOUND_MB = 64;

/** Draws the memory of Redis over the backlog, both on logarithmic scales. */
export function drawRedisMemory(backlogs: readonly BacklogMemory[]): string {
  const all = backlogs
    .flatMap((row) => [row.acceptedWorkingBytes, row.naiveBytes])
    .map((bytes) => bytes / MB);
  const sizes = backlogs.map(({ backlog }) => backlog);
  const x = scaleLog([Math.min(...sizes), Math.max(...sizes)], [PLOT.left, PLOT.width - PLOT.right]);
  const y = scaleLog(
    [Math.min(1, ...all), Math.max(BOUND_MB, ...all)],
    [PLOT.height - PLOT.bottom, PLOT.top + 12],
  ).nice();
  const draw = (bytesOf: (row: BacklogMemory) => number) =>
    linePath<BacklogMemory>(
      (row) => x(row.backlog),
      (row) => y(bytesOf(row) / MB),
    )([...backlogs]);
  const frame = {
    title: 'Memory of Redis by backlog',
    description: backlogs
      .map(
        (row) => `${row.backlog} jobs: ${mb(row.acceptedWorkingBytes)}, naive BullMQ ${mb(row.naiveBytes)}.`,
      )
      .join(' '),
    legend: [
      { label: 'Accepted', mark: lineMark('line first') },
      { label: 'naive BullMQ', mark: lineMark('line second') },
      { label: `${BOUND_MB} MB`, mark: lineMark('bound') },
    ],
    x: { scale: x, label: 'jobs that wait' },
    y: { scale: y, label: 'MB', ticks: [1, 10, 100, 1_000].filter((tick) => tick <= (y.domain()[1] ?? 0)) },
  };
  return drawFrame(frame, [
    line(PLOT.left, y(BOUND_MB), PLOT.width - PLOT.right, y(BOUND_MB), 'bound'),
    path(
      draw((row) => row.naiveBytes),
      'line second',
    ),
    path(
      draw((row) => row.acceptedWorkingBytes),
      'line first',
    ),
  ]);
}

function mb(bytes: number): string {
  return `${Math.round(bytes / MB)} MB`;
}
