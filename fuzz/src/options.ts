import { parseArgs } from 'node:util';

/** What a run is asked to be. */
export interface RunOptions {
  size: Size;
  requests: number;
  /** The same seed makes the same requests, but for the ids in them. */
  seed: number;
  /** Of which operations; all where none is named. */
  only: string[];
  /** Where the report goes. */
  json: string | undefined;
}

export type Size = 'small' | 'standard';

const REQUESTS: Record<Size, number> = { small: 1_500, standard: 12_000 };

export const USAGE = `npm run fuzz -- [options]
  --size small|standard        ${REQUESTS.small} or ${REQUESTS.standard} requests; small when left out
  --seed N                     the same seed makes the same requests, but for the ids in them
  --only OPERATION[,OPERATION] requests of these operations alone, by their operationId
  --json FILE                  writes the report there
`;

/** Reads the command line; throws a TypeError that says what is wrong with it. */
export function parseOptions(args: string[], now = Date.now()): RunOptions {
  const { size, seed, only, json } = parseArgs({
    args,
    options: {
      size: { type: 'string', default: 'small' },
      seed: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'string' },
    },
  }).values;
  if (size !== 'small' && size !== 'standard')
    throw new TypeError(`--size is "${size}": expected small or standard`);
  if (seed !== undefined && !/^\d{1,9}$/.test(seed))
    throw new TypeError(`--seed is "${seed}": expected a whole number`);
  return {
    size,
    requests: REQUESTS[size],
    seed: Number(seed ?? Math.floor(now / 1_000) % 1_000_000),
    only: only?.split(',') ?? [],
    json,
  };
}
