import { parseArgs } from 'node:util';
import type { Recipe } from './recipe.ts';

/** What a search is asked to be. */
export interface HoldOptions {
  /** The same seed draws the same first requests, schemas and mutations. */
  seed: number;
  rounds: number;
  /** Only this one, as a search has printed it. */
  recipe: Recipe | undefined;
}

const DEFAULT_ROUNDS = 6;

export const USAGE = `npm run fuzz:hold -- [options]
  --seed N       the same seed draws the same first requests and schemas
  --rounds N     how long it looks: some 60 requests and 4 schemas a round; ${DEFAULT_ROUNDS} when left out
  --recipe JSON  only the request that a run with this seed has printed
`;

/** Reads the command line; throws a TypeError that says what is wrong with it. */
export function parseHoldOptions(args: string[], now = Date.now()): HoldOptions {
  const { seed, rounds, recipe } = parseArgs({
    args,
    options: { seed: { type: 'string' }, rounds: { type: 'string' }, recipe: { type: 'string' } },
  }).values;
  return {
    seed: wholeNumber('--seed', seed) ?? Math.floor(now / 1_000) % 1_000_000,
    rounds: wholeNumber('--rounds', rounds) ?? DEFAULT_ROUNDS,
    recipe: recipe === undefined ? undefined : (JSON.parse(recipe) as Recipe),
  };
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new TypeError(`${name} is "${text}": expected a whole number`);
  return Number(text);
}
