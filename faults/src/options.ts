import { parseArgs } from 'node:util';
import type { EngineKind } from './kinds.ts';

/** What a run is asked to be. */
export interface RunOptions {
  size: Size;
  engine: EngineKind;
  jobs: number;
  faults: number;
  seed: number;
  /** So long after everything has started the run is over at the latest, whatever hangs. */
  minutes: number;
  /** Runs bare BullMQ instead. */
  control: boolean;
  /** Where the report goes, beside the run's folder. */
  json: string | undefined;
  /** Where the run leaves its logs; a temporary folder when left out, removed again when the run is green. */
  folder: string | undefined;
}

export type Size = 'small' | 'standard' | 'soak';

const SIZES: Record<Size, Pick<RunOptions, 'jobs' | 'faults' | 'minutes'>> = {
  small: { jobs: 5_000, faults: 12, minutes: 8 },
  standard: { jobs: 100_000, faults: 104, minutes: 30 },
  soak: { jobs: 645_000, faults: 400, minutes: 90 },
};

/** Both bounds of how fast a run goes: what two cores carry beside the faults, and how soon one follows the other. */
const JOBS_PER_SECOND = 180;
const SECONDS_PER_FAULT = 2.5;

/** How long the load is to take when nothing holds it up. */
export function loadSeconds({ jobs, faults }: Pick<RunOptions, 'jobs' | 'faults'>): number {
  return Math.ceil(Math.max(jobs / JOBS_PER_SECOND, faults * SECONDS_PER_FAULT));
}

/** A process that is killed again and again is never old enough to have its memory judged, so a soak calms down. */
const FAULTY_SHARE_OF_SOAK = 1 / 3;

/** How long the faults are to take, from the start of the load. */
export function faultSeconds(options: Pick<RunOptions, 'size' | 'jobs' | 'faults'>): number {
  return loadSeconds(options) * (options.size === 'soak' ? FAULTY_SHARE_OF_SOAK : 1);
}

export const USAGE = `npm run faults -- [options]
  --size small|standard|soak   5,000, 100,000 or 645,000 jobs, the last in an hour; small when left out
  --engine redis|postgres      what BullMQ runs on; redis when left out
  --jobs N --faults N          other numbers than those of the size
  --seed N                     the same seed gives the same jobs and the same schedule of faults
  --minutes N                  the run is over then at the latest
  --control                    the same load and faults on bare BullMQ, as a tutorial writes it
  --json FILE                  writes the report there
  --folder FOLDER              leaves logs, report and plots there
`;

/** Reads the command line; throws a TypeError that says what is wrong with it. */
export function parseOptions(args: string[]): RunOptions {
  const { values } = parseArgs({
    args,
    options: {
      size: { type: 'string', default: 'small' },
      engine: { type: 'string', default: 'redis' },
      jobs: { type: 'string' },
      faults: { type: 'string' },
      seed: { type: 'string' },
      minutes: { type: 'string' },
      control: { type: 'boolean', default: false },
      json: { type: 'string' },
      folder: { type: 'string' },
    },
  });
  const size = oneOf('--size', values.size, ['small', 'standard', 'soak'] as const);
  const defaults = SIZES[size];
  return {
    size,
    engine: oneOf('--engine', values.engine, ['redis', 'postgres'] as const),
    jobs: wholeNumber('--jobs', values.jobs) ?? defaults.jobs,
    faults: wholeNumber('--faults', values.faults) ?? defaults.faults,
    seed: wholeNumber('--seed', values.seed) ?? Math.floor(Date.now() / 1_000) % 1_000_000,
    minutes: wholeNumber('--minutes', values.minutes) ?? defaults.minutes,
    control: values.control,
    json: values.json,
    folder: values.folder,
  };
}

function oneOf<Name extends string>(option: string, value: string, names: readonly Name[]): Name {
  const name = names.find((candidate) => candidate === value);
  if (!name) throw new TypeError(`${option} is "${value}": expected one of ${names.join(', ')}`);
  return name;
}

function wholeNumber(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d{1,9}$/.test(value)) throw new TypeError(`${option} is "${value}": expected a whole number`);
  return Number(value);
}
