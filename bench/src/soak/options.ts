import { parseArgs } from 'node:util';

/** What a soak is asked to be. */
export interface SoakOptions {
  /** How often a job has moved from one of the hot tables to another, or into the first, when the soak ends. */
  moves: number;
  /** For how long a snapshot is held open then, while jobs go on moving. */
  snapshotMinutes: number;
  folder: string | undefined;
}

export const USAGE = `npm run soak -- [options]
  --moves N                how often jobs move in all; 1,000,000 when left out
  --snapshot-minutes N     for how long a snapshot is held open afterwards; 1 when left out
  --folder FOLDER          leaves figures and plots there
`;

/** Reads the command line; throws a TypeError that says what is wrong with it. */
export function parseSoakOptions(args: string[]): SoakOptions {
  const { values } = parseArgs({
    args,
    options: {
      moves: { type: 'string', default: '1000000' },
      'snapshot-minutes': { type: 'string', default: '1' },
      folder: { type: 'string' },
    },
  });
  return {
    moves: wholeNumber('--moves', values.moves),
    snapshotMinutes: wholeNumber('--snapshot-minutes', values['snapshot-minutes']),
    folder: values.folder,
  };
}

function wholeNumber(option: string, value: string): number {
  if (!/^\d{1,10}$/.test(value)) throw new TypeError(`${option} is "${value}": expected a whole number`);
  return Number(value);
}
