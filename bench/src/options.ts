import { parseArgs } from 'node:util';
import { ALL_CONTENDERS } from './contenders/all-contenders.ts';
import type { Contender } from './contenders/contender.ts';
import { ALL_MEASURES } from './measures/all-measures.ts';
import type { Measure } from './measures/measure.ts';
import { SIZES, type SizeName } from './measures/sizes.ts';
import { ALL_PARTS, type Part } from './parts.ts';

/** What a run is asked to be. */
export interface RunOptions {
  size: SizeName;
  rounds: number;
  contenders: readonly Contender[];
  measures: readonly Measure[];
  parts: readonly Part[];
  /** The run is over then at the latest, whatever hangs. */
  minutes: number;
  /** Where the report goes, beside the run's folder. */
  json: string | undefined;
  /** Where the run leaves its report and plots; a temporary folder when left out. */
  folder: string | undefined;
}

const MINUTES: Record<SizeName, number> = { small: 20, standard: 120 };

export const USAGE = `npm run bench -- [options]
  --size small|standard   a look, or what the page of results is made of; small when left out
  --only A,B              these measures: ${names(ALL_MEASURES)}, ${names(ALL_PARTS)}
  --contenders A,B        these contenders: ${names(ALL_CONTENDERS)}
  --rounds N              another number of rounds than that of the size
  --minutes N             the run is over then at the latest
  --json FILE             writes the report there
  --folder FOLDER         leaves report and plots there
`;

/** Reads the command line; throws a TypeError that says what is wrong with it. */
export function parseOptions(args: string[]): RunOptions {
  const { values } = parseArgs({
    args,
    options: {
      size: { type: 'string', default: 'small' },
      only: { type: 'string' },
      contenders: { type: 'string' },
      rounds: { type: 'string' },
      minutes: { type: 'string' },
      json: { type: 'string' },
      folder: { type: 'string' },
    },
  });
  const [size] = choose('--size', values.size, [{ name: 'small' }, { name: 'standard' }] as const);
  if (!size) throw new TypeError('--size is empty');
  const measured = choose('--only', values.only, [...ALL_MEASURES, ...ALL_PARTS]);
  return {
    size: size.name,
    rounds: wholeNumber('--rounds', values.rounds) ?? SIZES[size.name].rounds,
    contenders: choose('--contenders', values.contenders, ALL_CONTENDERS),
    measures: ALL_MEASURES.filter((measure) => measured.includes(measure)),
    parts: ALL_PARTS.filter((part) => measured.includes(part)),
    minutes: wholeNumber('--minutes', values.minutes) ?? MINUTES[size.name],
    json: values.json,
    folder: values.folder,
  };
}

/** Picks those of `all` that are named, in the order of `all`; all of them when nothing is named. */
function choose<Named extends { name: string }>(
  option: string,
  value: string | undefined,
  all: readonly Named[],
): Named[] {
  if (value === undefined) return [...all];
  const wanted = value.split(',');
  const unknown = wanted.find((name) => !all.some((named) => named.name === name));
  if (unknown !== undefined) throw new TypeError(`${option} has "${unknown}": expected ${names(all)}`);
  return all.filter(({ name }) => wanted.includes(name));
}

function names(all: readonly { name: string }[]): string {
  return all.map(({ name }) => name).join(', ');
}

function wholeNumber(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^[1-9]\d{0,4}$/.test(value)) throw new TypeError(`${option} is "${value}": expected a whole number`);
  return Number(value);
}
