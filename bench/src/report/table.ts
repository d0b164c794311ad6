import { ALL_CONTENDERS } from '../contenders/all-contenders.ts';
import type { ContenderName } from '../contenders/contender.ts';
import type { Measure, Sample, Variant } from '../measures/measure.ts';
import { type Spread, spreadOf } from '../statistics/spread.ts';

/** One row of a measure: a contender in one variant, with its figures over the rounds. */
export interface Row {
  contender: ContenderName;
  /** How the contender is called, and what sets the row apart. */
  label: string;
  variant: Variant;
  figures: Record<string, Spread>;
}

/** A table of texts; the first column names the rows. */
export interface Table {
  header: string[];
  rows: string[][];
}

/** Sums up the samples of a measure, one row a contender and variant; variants first, so that contenders compare. */
export function summarize(samples: readonly Sample[], measure: Measure): Row[] {
  const mine = samples.filter((sample) => sample.measure === measure.name);
  const variants = [...new Set(mine.map(({ variant }) => JSON.stringify(variant)))];
  return variants.flatMap((variant) =>
    ALL_CONTENDERS.flatMap(({ name, title }) => {
      const rounds = mine.filter((it) => it.contender === name && JSON.stringify(it.variant) === variant);
      const [first] = rounds;
      if (!first) return [];
      const words = [title, ...describeVariant(first.variant)];
      return [{ contender: name, label: words.join(', '), variant: first.variant, figures: spreads(rounds) }];
    }),
  );
}

function spreads(rounds: readonly Sample[]): Record<string, Spread> {
  const names = new Set(rounds.flatMap(({ figures }) => Object.keys(figures)));
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      spreadOf(rounds.flatMap(({ figures }) => (figures[name] === undefined ? [] : [figures[name]]))),
    ]),
  );
}

/** Says in words what a variant is. */
export function describeVariant({ payloadBytes, perSecond, workers, webhooks }: Variant): string[] {
  const words: string[] = [];
  if (payloadBytes !== undefined)
    words.push(payloadBytes < 1_000 ? `${payloadBytes} B` : `${payloadBytes / 1_000} kB`);
  if (perSecond !== undefined) words.push(`${perSecond.toLocaleString('en-US')}/s`);
  if (workers !== undefined) words.push(workers === 1 ? '1 worker' : `${workers} workers`);
  if (webhooks !== undefined) words.push(webhooks ? 'with webhooks' : 'without webhooks');
  return words;
}

const TITLES: Record<string, string> = {
  jobsPerSecond: 'jobs/s',
  deliveriesPerSecond: 'deliveries/s',
  p50Ms: 'p50 ms',
  p99Ms: 'p99 ms',
  unansweredJobs: 'unanswered',
  jobs: 'jobs',
  apiCpuUs: 'API CPU µs',
  workersCpuUs: 'workers CPU µs',
  postgresCpuUs: 'Postgres CPU µs',
  redisCpuUs: 'Redis CPU µs',
};

/** How a figure's column is called. Throws for a figure that nobody has named. */
export function titleOf(figure: string): string {
  const title = TITLES[figure];
  if (!title) throw new Error(`The figure "${figure}" has no title.`);
  return title;
}

/** Makes the table of one measure. */
export function tabulate(rows: readonly Row[]): Table {
  const figures = [...new Set(rows.flatMap((row) => Object.keys(row.figures)))];
  return {
    header: ['', ...figures.map(titleOf)],
    rows: rows.map((row) => [
      row.label,
      ...figures.map((name) => (row.figures[name] ? writeSpread(row.figures[name]) : '–')),
    ]),
  };
}

/** Writes the median, and what the rounds lay between when they differ: `7,120 (6,900–7,400)`. */
export function writeSpread({ median, min, max }: Spread): string {
  const [middle, least, most] = [median, min, max].map(writeFigure);
  return least === most ? `${middle}` : `${middle} (${least}–${most})`;
}

/** Three digits say what a benchmark knows; whole numbers keep all of theirs. */
export function writeFigure(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
