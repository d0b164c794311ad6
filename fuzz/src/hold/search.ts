import { createDraw, type Draw } from '../generate/draw.ts';
import type { Measured, Recipe } from './recipe.ts';

/** What there is to choose from. */
export interface Choices {
  /** One of every place of every operation, and of every schema, with the shapes that fit it. */
  places: readonly { recipe: Recipe; shapes: readonly string[]; sizes: readonly number[] }[];
  parts: readonly string[];
}

export interface SearchOptions {
  seed: number;
  /** Requests before the rounds: each place comes once before any comes twice. */
  first: number;
  rounds: number;
}

/** The worst so far, of which others are made. */
const KEPT = 12;
const CHILDREN = 8;

/**
 * Looks for the request that holds the event loop for the longest: measures so many of all places, makes others of the worst
 * ones in rounds, and answers all, the worst first. The same seed draws the same first requests; what comes of the rounds
 * depends on what was measured.
 */
export async function search(
  { places, parts }: Choices,
  { seed, first, rounds }: SearchOptions,
  measure: (recipe: Recipe) => Promise<Measured>,
): Promise<Measured[]> {
  const draw = createDraw(`hold ${seed}`);
  const found = new Map<string, Measured>();
  const tryOne = async (recipe: Recipe) => {
    const key = JSON.stringify(recipe);
    if (!found.has(key)) found.set(key, await measure(recipe));
  };
  const worst = () => [...found.values()].sort((one, other) => other.ms - one.ms);

  for (let index = 0, left: Choices['places'][number][] = []; index < first; index += 1) {
    if (left.length === 0) left = shuffled(draw, places);
    const place = left.pop();
    if (place) await tryOne(vary(draw, place, parts));
  }
  for (let round = 0; round < rounds; round += 1) {
    const kept = worst().slice(0, KEPT);
    for (let child = 0; child < CHILDREN; child += 1) {
      const parent = draw.pickEarly(kept);
      if (parent) await tryOne(mutate(draw, parent.recipe, { places, parts }));
    }
  }
  return worst();
}

function vary(
  draw: Draw,
  { recipe, shapes, sizes }: Choices['places'][number],
  parts: readonly string[],
): Recipe {
  return {
    ...recipe,
    shape: draw.pick(shapes),
    part: draw.pick(parts),
    bytes: draw.pick(sizes),
    isKeyed: draw.chance(0.3),
  };
}

/** Changes one thing of a recipe. */
function mutate(draw: Draw, recipe: Recipe, { places, parts }: Choices): Recipe {
  const isSame = (other: Recipe) =>
    other.operation === recipe.operation && other.place === recipe.place && other.schema === recipe.schema;
  const here = places.find((place) => isSame(place.recipe));
  if (!here) return recipe;
  const fitting = places.filter(({ shapes }) => shapes.includes(recipe.shape));
  const elsewhere = () => {
    const { operation, place, schema } = draw.pick(fitting).recipe;
    const { schema: _, ...rest } = recipe;
    return { ...rest, operation, place, ...(schema !== undefined && { schema }) };
  };
  const changes: (() => Recipe)[] = [
    () => ({ ...recipe, shape: draw.pick(here.shapes) }),
    () => ({ ...recipe, part: draw.pick(parts) }),
    () => ({ ...recipe, bytes: draw.pick(here.sizes) }),
    () => ({
      ...recipe,
      bytes: Math.max(1, Math.floor(recipe.bytes * (0.5 + draw.pick([0.1, 0.2, 0.3, 0.4, 0.49])))),
    }),
    () => ({ ...recipe, isKeyed: !recipe.isKeyed }),
    elsewhere,
  ];
  return draw.pick(changes)();
}

function shuffled<T>(draw: Draw, items: readonly T[]): T[] {
  const left = [...items];
  const mixed: T[] = [];
  while (left.length > 0) mixed.push(...left.splice(left.indexOf(draw.pick(left)), 1));
  return mixed;
}
