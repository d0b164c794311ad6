import { parseArgs } from 'node:util';
import { ALL_ATTACKS } from './attacks/all-attacks.ts';

export interface RunOptions {
  size: 'small' | 'standard';
  /** For how long the quiet tenant is measured alone, and under each attack. */
  seconds: { alone: number; attacked: number };
  /** Which percentile of the quiet tenant is judged, from 0 to 1. */
  judged: number;
  /** Which attacks, by name. */
  only: string[];
  /** Where the report goes. */
  json: string | undefined;
}

/** Of the 120 requests of a small run one is beyond the 99th percentile, and a machine's hiccup is as long as an attack. */
const SIZES: Record<RunOptions['size'], Pick<RunOptions, 'seconds' | 'judged'>> = {
  small: { seconds: { alone: 8, attacked: 3 }, judged: 0.95 },
  standard: { seconds: { alone: 60, attacked: 20 }, judged: 0.99 },
};

export const USAGE = `npm run attack -- [options]
  --size small|standard   how long the quiet tenant is measured under each attack, 3 or 20 s, and judged by its
                          95th or 99th percentile; small when left out
  --only NAME[,NAME]      these attacks, of ${ALL_ATTACKS.map(({ name }) => name).join(', ')}
  --json FILE             writes the report there
`;

/** Reads the command line; throws a TypeError that says what is wrong with it. */
export function parseOptions(args: string[]): RunOptions {
  const { size, only, json } = parseArgs({
    args,
    options: {
      size: { type: 'string', default: 'small' },
      only: { type: 'string' },
      json: { type: 'string' },
    },
  }).values;
  if (size !== 'small' && size !== 'standard')
    throw new TypeError(`--size is "${size}": expected small or standard`);
  const known = ALL_ATTACKS.map(({ name }) => name);
  const asked = only?.split(',') ?? known;
  const unknown = asked.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new TypeError(`--only names "${unknown}": there is no such attack`);
  return { size, ...SIZES[size], only: asked, json };
}
