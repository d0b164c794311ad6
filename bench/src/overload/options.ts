import { parseArgs } from 'node:util';
import { ALL_PARTS } from './all-parts.ts';
import type { OverloadPart } from './part.ts';
import { type OverloadSizeName, SIZES } from './sizes.ts';

export interface OverloadOptions {
  size: OverloadSizeName;
  parts: readonly OverloadPart[];
  /** Whether what one would write instead is measured as well. */
  withOthers: boolean;
  /** The run is over then at the latest, whatever hangs. */
  minutes: number;
  folder: string | undefined;
}

const MINUTES: Record<OverloadSizeName, number> = { small: 20, standard: 90 };

export const USAGE = `npm run overload -- [options]
  --size small|standard   a look, or what docs/overload.md is made of; small when left out
  --only A,B              these parts: ${names()}
  --alone                 measures Accepted alone, without what one would write instead
  --minutes N             the run is over then at the latest
  --folder FOLDER         leaves report and plots there
`;

/** Reads the command line; throws a TypeError that says what is wrong with it. */
export function parseOverloadOptions(args: string[]): OverloadOptions {
  const { values } = parseArgs({
    args,
    options: {
      size: { type: 'string', default: 'small' },
      only: { type: 'string' },
      alone: { type: 'boolean', default: false },
      minutes: { type: 'string' },
      folder: { type: 'string' },
    },
  });
  const size = sizeOf(values.size);
  return {
    size,
    parts: partsOf(values.only),
    withOthers: !values.alone,
    minutes: minutesOf(values.minutes) ?? MINUTES[size],
    folder: values.folder,
  };
}

function sizeOf(value: string): OverloadSizeName {
  if (!Object.hasOwn(SIZES, value)) throw new TypeError(`--size is "${value}": expected small or standard`);
  return value as OverloadSizeName;
}

function partsOf(value: string | undefined): readonly OverloadPart[] {
  if (value === undefined) return ALL_PARTS;
  const wanted = value.split(',');
  const unknown = wanted.find((name) => !ALL_PARTS.some((part) => part.name === name));
  if (unknown !== undefined) throw new TypeError(`--only has "${unknown}": expected ${names()}`);
  return ALL_PARTS.filter(({ name }) => wanted.includes(name));
}

function minutesOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^[1-9]\d{0,4}$/.test(value)) throw new TypeError(`--minutes is "${value}": expected a whole number`);
  return Number(value);
}

function names(): string {
  return ALL_PARTS.map(({ name }) => name).join(', ');
}
