import { drawFrame, lineMark, PLOT, path } from '@accepted/faults/report/plots/frame';
import { scaleLinear } from 'd3-scale';
import { line as linePath } from 'd3-shape';
import { makePart } from '../report/make-part.ts';
import { type Table, writeFigure } from '../report/table.ts';
import { type MemoryPart, measureMemory, type ProcessMemory } from './measure-memory.ts';
import type { Sample } from './slope.ts';

const MINUTES = { small: 0.5, standard: 10 };
/** What the soak of the fault suite allows as well: a leak is steeper, and a heap that still finds its size is not. */
const MOST_MB_PER_HOUR = 48;
const MINUTE_MS = 60_000;

/** Whether the processes keep their size. */
export const memory = makePart<MemoryPart>({
  name: 'memory',
  title: 'Memory of the processes',
  measure: (servers, size, say) => measureMemory(servers, MINUTES[size], say),
  tables: ({ minutes, jobsPerSecond, processes }) => [
    {
      title: 'Resident memory',
      explanation: `Resident memory over ${minutes} minutes at ${jobsPerSecond} jobs a second, and the line of least squares through it after the warm-up, with two standard errors.`,
      table: tabulate(processes),
    },
  ],
  plots: (part) => [{ title: 'Resident memory', svg: draw(part) }],
  targets: ({ minutes, processes }) =>
    processes.flatMap(({ name, slope }) => {
      // In a short run every process still grows.
      if (!slope || minutes < MINUTES.standard) return [];
      const [rate, doubt] = [slope.perHour, 2 * slope.standardErrorPerHour];
      return {
        name: `memory of the ${name} over a steady load`,
        measured: { median: rate, min: rate - doubt, max: rate + doubt },
        bound: MOST_MB_PER_HOUR,
        wanted: 'at most',
        unit: 'MB/h',
      };
    }),
});

function tabulate(processes: readonly ProcessMemory[]): Table {
  return {
    header: ['', 'first MB', 'most MB', 'last MB', 'MB an hour'],
    rows: processes.map(({ name, samples, slope }) => {
      const values = samples.map(({ value }) => value);
      return [
        name,
        ...[values[0] ?? Number.NaN, Math.max(...values), values.at(-1) ?? Number.NaN].map(writeFigure),
        slope ? `${writeFigure(slope.perHour)} ± ${writeFigure(2 * slope.standardErrorPerHour)}` : '–',
      ];
    }),
  };
}

function draw({ processes }: MemoryPart): string {
  const samples = processes.flatMap((process) => process.samples);
  const x = scaleLinear(
    [0, Math.max(...samples.map(({ atMs }) => atMs / MINUTE_MS))],
    [PLOT.left, PLOT.width - PLOT.right],
  );
  const y = scaleLinear(
    [0, Math.max(...samples.map(({ value }) => value))],
    [PLOT.height - PLOT.bottom, PLOT.top + 12],
  ).nice();
  const curve = linePath<Sample>(
    ({ atMs }) => x(atMs / MINUTE_MS),
    ({ value }) => y(value),
  );
  const classes = (index: number) => (index === 0 ? 'line first' : 'line second');
  const frame = {
    title: 'Resident memory under steady load',
    description: processes
      .map(
        ({ name, samples: [first], slope }) =>
          `${name}: from ${first?.value} MB, ${slope?.perHour} MB an hour.`,
      )
      .join(' '),
    legend: processes.map(({ name }, index) => ({ label: name, mark: lineMark(classes(index)) })),
    x: { scale: x, label: 'minutes' },
    y: { scale: y, label: 'MB' },
  };
  return drawFrame(
    frame,
    processes.map((process, index) => path(curve(process.samples), classes(index))),
  );
}
