import { expect, test } from 'vitest';
import { BUDGETS, type Budget, type SmokeFigures } from './budgets.ts';
import { judge, renderJudged } from './judge.ts';

const SOME_BUDGETS: Budget[] = [
  { figure: 'acceptShareOfLimit', title: 'Accepts', bound: { atLeast: 0.5 }, reason: 'It is slow.' },
  {
    figure: 'workStatements',
    title: 'Statements',
    bound: { atLeast: 3, atMost: 7 },
    reason: 'It asks too often.',
  },
];

const figures = (some: Partial<SmokeFigures>): SmokeFigures => ({
  ...(Object.fromEntries(BUDGETS.map(({ figure }) => [figure, 0])) as unknown as SmokeFigures),
  ...some,
});

test.each([
  [{ acceptShareOfLimit: 0.5, workStatements: 7 }, [true, true]],
  [{ acceptShareOfLimit: 0.49, workStatements: 7 }, [false, true]],
  [{ acceptShareOfLimit: 0.5, workStatements: 7.01 }, [true, false]],
  [{ acceptShareOfLimit: 0.5, workStatements: 0 }, [true, false]],
  [{ acceptShareOfLimit: Number.NaN, workStatements: Number.NaN }, [false, false]],
])('of %j the budgets hold: %j', (some, expected) => {
  expect(judge(figures(some), SOME_BUDGETS).map(({ holds }) => holds)).toEqual(expected);
});

test('a broken budget is shown with its figure, its bound and its reason', () => {
  const judged = judge(figures({ acceptShareOfLimit: 0.3, workStatements: 7 }), SOME_BUDGETS);

  expect(renderJudged(judged)).toMatch(/^Accepts\s+0\.30\s+>= 0\.5\s+BROKEN: It is slow\.$/m);
  expect(renderJudged(judged)).toMatch(/^Statements\s+7\.00\s+3 to 7\s+ok$/m);
});
