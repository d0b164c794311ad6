import { scaleLinear } from 'd3-scale';
import { line as linePath } from 'd3-shape';
import type { Evidence } from '../../checker/evidence.ts';
import { groupBy } from '../../checker/verdict.ts';
import type { MemoryLine } from '../../logs.ts';
import { drawFrame, lineMark, PLOT, path } from './frame.ts';

const MB = 1_048_576;
const MINUTE_MS = 60_000;
/** The line of a process that did not live longer is a dot. */
const LEAST_AGE_MS = MINUTE_MS;

/** Draws the resident memory of every process over the run. `undefined` when none lived for a minute. */
export function drawMemory({ memory, run }: Evidence): string | undefined {
  const lives = [...groupBy(memory, ({ name, pid }) => `${name} ${pid}`).values()].filter(livedLong);
  if (lives.length === 0) return undefined;
  const samples = lives.flat();
  const minutesOf = ({ at }: MemoryLine) => (at - run.loadStartedAt) / MINUTE_MS;
  const mbOf = ({ rssBytes }: MemoryLine) => rssBytes / MB;
  const x = scaleLinear([0, Math.max(...samples.map(minutesOf))], [PLOT.left, PLOT.width - PLOT.right]);
  const y = scaleLinear(
    [0, Math.max(...samples.map(mbOf))],
    [PLOT.height - PLOT.bottom, PLOT.top + 12],
  ).nice();
  const curve = linePath<MemoryLine>(
    (sample) => x(minutesOf(sample)),
    (sample) => y(mbOf(sample)),
  );
  const frame = {
    title: `Resident memory, ${run.engine} engine`,
    description: `Resident memory of ${lives.length} processes over ${Math.round(x.domain()[1] ?? 0)} minutes, each a line from its start to its end; the highest had ${Math.round(Math.max(...samples.map(mbOf)))} MB.`,
    legend: [
      { label: 'an API', mark: lineMark('line first') },
      { label: 'a worker', mark: lineMark('line second') },
    ],
    x: { scale: x, label: 'minutes since the load began' },
    y: { scale: y, label: 'MB' },
  };
  return drawFrame(
    frame,
    lives.map((life) => path(curve(life), `line ${life[0]?.name.startsWith('api') ? 'first' : 'second'}`)),
  );
}

function livedLong(life: MemoryLine[]): boolean {
  return (life.at(-1)?.at ?? 0) - (life[0]?.at ?? 0) >= LEAST_AGE_MS;
}
