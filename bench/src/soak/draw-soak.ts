import { drawFrame, lineMark, PLOT, path } from '@accepted/faults/report/plots/frame';
import { scaleLinear } from 'd3-scale';
import { line as linePath } from 'd3-shape';
import type { SoakSample } from './run-soak.ts';

const MB = 1_048_576;

/** A curve of a plot. */
interface Curve {
  label: string;
  classes: string;
  of: (sample: SoakSample) => number;
}

/** Draws the size of what moves over the time of a soak. */
export function drawSizes(samples: readonly SoakSample[]): string {
  return draw(samples, 'Size of what moves', 'MB', [
    { label: 'tables', classes: 'line first', of: ({ heapBytes }) => heapBytes / MB },
    { label: 'indexes', classes: 'line second', of: ({ indexBytes }) => indexBytes / MB },
  ]);
}

/** Draws what a turn takes over the time of a soak. */
export function drawTurns(samples: readonly SoakSample[]): string {
  return draw(samples, 'Time of a turn', 'ms, median of two seconds', [
    { label: 'a turn', classes: 'line first', of: ({ turnMs }) => turnMs },
  ]);
}

function draw(samples: readonly SoakSample[], title: string, unit: string, curves: Curve[]): string {
  const minutes = samples.at(-1)?.atMinutes ?? 1;
  const most = Math.max(...curves.flatMap(({ of }) => samples.map(of)));
  const x = scaleLinear([0, minutes], [PLOT.left, PLOT.width - PLOT.right]);
  const y = scaleLinear([0, most], [PLOT.height - PLOT.bottom, PLOT.top + 12]).nice();
  const heldFrom = samples.find(({ phase }) => phase === 'snapshot held')?.atMinutes;
  const held =
    heldFrom === undefined ? '' : `; from minute ${Math.round(heldFrom)} on a snapshot is held open`;
  const moves = (samples.at(-1)?.moves ?? 0).toLocaleString('en-US');
  const frame = {
    title: `${title}, ${moves} moves${held}`,
    description: `${curves.map(({ label }) => label).join(' and ')} over ${Math.round(minutes)} minutes; ${Math.round(most)} ${unit} at most.`,
    legend: curves.map(({ label, classes }) => ({ label, mark: lineMark(classes) })),
    x: { scale: x, label: 'minutes' },
    y: { scale: y, label: unit },
  };
  return drawFrame(
    frame,
    curves.map(({ of, classes }) => {
      const curve = linePath<SoakSample>(
        ({ atMinutes }) => x(atMinutes),
        (sample) => y(of(sample)),
      );
      return path(curve([...samples]), classes);
    }),
  );
}
