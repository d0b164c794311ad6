import type { LineName } from './queue-lines.ts';

/** The schema that a build has for the payload of each type that it takes, by its id. */
export type TakenTypes = ReadonlyMap<string, string>;

/** Answers which lanes, by their places, take the jobs of a line: those whose builds have the type and a schema that does not refuse them. */
export function lanesTaking(
  { type, refusedBy }: Pick<LineName, 'type' | 'refusedBy'>,
  takenBy: readonly (TakenTypes | undefined)[],
): number[] {
  return takenBy.flatMap((types, lane) => {
    const schema = types?.get(type);
    return schema === undefined || refusedBy.includes(schema) ? [] : [lane];
  });
}
