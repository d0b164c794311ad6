import { parseArgs } from 'node:util';
import { ALL_ATTACKS } from './attacks/all-attacks.ts';
import type { Extent } from './quiet/measure.ts';

export interface RunOptions {
  size: 'small' | 'standard';
  extent: Extent;
  /** Which attacks, by name. */
  only: string[];
  /** Where the report goes. */
  json: string | undefined;
}

const EXTENTS: Record<RunOptions['size'], Extent> = {
  small: { seconds: 5, perSecond: 20 },
  standard: { seconds: 20, perSecond: 20 },
};

export const USAGE = `npm run attack -- [options]
  --size small|standard   how long the quiet tenant is measured each time, 5 or 20 s; small when left out
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
  return { size, extent: EXTENTS[size], only: asked, json };
}
