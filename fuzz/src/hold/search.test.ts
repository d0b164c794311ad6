import { expect, test } from 'vitest';
import { describeRecipe, type Recipe } from './recipe.ts';
import { type Choices, search } from './search.ts';

const recipe: Recipe = { operation: 'submitJob', place: '', shape: '', bytes: 0, isKeyed: false };
const CHOICES: Choices = {
  places: Array.from({ length: 20 }, (_, n) => ({
    recipe: { ...recipe, place: `/p${n}` },
    shapes: ['a', 'b', 'c', 'd', 'e', 'f'],
    sizes: [1_000, 16_000],
  })),
  parts: ['x', 'y', 'z'],
};
/** The worst of them has all of it right; each thing that is right is worse than before. */
const costOf = ({ place, shape, part, bytes, isKeyed }: Recipe) =>
  [place === '/p7', shape === 'e', part === 'z', bytes === 16_000, isKeyed].filter(Boolean).length;

const run = async (rounds: number) => {
  const tried: string[] = [];
  const found = await search(CHOICES, { seed: 3, first: 40, rounds }, async (one) => {
    tried.push(describeRecipe(one));
    return { recipe: one, ms: costOf(one), status: 202 };
  });
  return { found, tried };
};

test('the worst is found by changing what was worst so far', async () => {
  const { found } = await run(30);
  expect(found[0]).toMatchObject({ ms: 5, recipe: { place: '/p7', shape: 'e', part: 'z' } });
  expect((await run(0)).found[0]?.ms).toBeLessThan(5);
});

test('each place is tried before any is tried again, and the same seed tries the same', async () => {
  const { tried, found } = await run(5);
  const places = found.map((one) => one.recipe.place);
  expect(new Set(places).size).toBe(CHOICES.places.length);
  expect((await run(5)).tried).toEqual(tried);
});
