import { expect, test } from 'vitest';
import { parseOptions } from './options.ts';

const namesOf = (all: readonly { name: string }[]) => all.map(({ name }) => name);

test('without options it is a small run of everything', () => {
  const options = parseOptions([]);
  expect(options).toMatchObject({ size: 'small', rounds: 1, json: undefined, folder: undefined });
  expect(namesOf(options.contenders)).toHaveLength(7);
  expect(namesOf(options.measures)).toContain('accept');
});

test('a run can be narrowed to some measures and contenders, in the order in which they are shown', () => {
  const options = parseOptions(['--only', 'worker,accept', '--contenders', 'pg-boss,limit', '--rounds', '5']);
  expect(namesOf(options.measures)).toEqual(['accept', 'worker']);
  expect(namesOf(options.contenders)).toEqual(['limit', 'pg-boss']);
  expect(options.parts).toEqual([]);
  expect(options.rounds).toBe(5);
});

test.each([
  [['--only', 'accept,speed'], '--only has "speed"'],
  [['--contenders', 'oban'], '--contenders has "oban"'],
  [['--size', 'huge'], '--size has "huge"'],
  [['--rounds', '0'], '--rounds is "0"'],
])('%j is refused', (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});
