import { expect, test } from 'vitest';
import { createReserves } from './reserves.ts';

const [CRITICAL, NORMAL, LOW] = [0, 2, 3];

function come(reserves: ReturnType<typeof createReserves>, priority: number, perSecond: number): void {
  for (let n = 0; n < perSecond; n += 1) reserves.came('queue', priority, (n * 1_000) / perSecond);
}

test('as much is kept as comes in a second of what is more urgent, and of nothing else', () => {
  const reserves = createReserves();
  come(reserves, CRITICAL, 40);
  come(reserves, NORMAL, 100);
  const kept = (priority: number) => reserves.keptFrom('queue', priority, 1_000, 1_000);
  expect(kept(CRITICAL)).toBe(0);
  expect(kept(NORMAL)).toBeGreaterThanOrEqual(38);
  expect(kept(NORMAL)).toBeLessThanOrEqual(42);
  expect(kept(LOW)).toBeGreaterThanOrEqual(136);
  expect(kept(LOW)).toBeLessThanOrEqual(144);
  expect(reserves.keptFrom('other', LOW, 1_000, 1_000)).toBe(0);
});

test('never more than half, and nothing once nothing more urgent comes', () => {
  const reserves = createReserves();
  come(reserves, CRITICAL, 5_000);
  expect(reserves.keptFrom('queue', LOW, 1_000, 1_000)).toBe(500);
  expect(reserves.keptFrom('queue', LOW, 1_000, 3_000)).toBe(0);
});

/** Has a queue drain 500 jobs a second, with room for 1,000, and as much come as is said; answers what part of each priority was let in. */
function simulate(comes: Record<number, number>, seconds: number): Map<number, number> {
  const reserves = createReserves();
  const counts = new Map<number, { came: number; letIn: number }>();
  let jobs = 0;
  for (let ms = 0; ms < seconds * 1_000; ms += 1) {
    jobs = Math.max(0, jobs - 0.5);
    for (const [name, perSecond] of Object.entries(comes)) {
      const priority = Number(name);
      const count = counts.get(priority) ?? { came: 0, letIn: 0 };
      counts.set(priority, count);
      for (; count.came < (ms / 1_000) * perSecond; count.came += 1) {
        reserves.came('queue', priority, ms);
        if (jobs >= 1_000 - reserves.keptFrom('queue', priority, 1_000, ms)) continue;
        jobs += 1;
        count.letIn += 1;
      }
    }
  }
  return new Map([...counts].map(([priority, { came, letIn }]) => [priority, letIn / came]));
}

test('of twice as much as can be done all that is critical is let in, and what is low goes first', () => {
  const letIn = simulate({ [CRITICAL]: 50, [NORMAL]: 600, [LOW]: 350 }, 20);
  expect(letIn.get(CRITICAL)).toBe(1);
  expect(letIn.get(NORMAL)).toBeGreaterThan(letIn.get(LOW) ?? 1);
  const done = 50 + 600 * (letIn.get(NORMAL) ?? 0) + 350 * (letIn.get(LOW) ?? 0);
  expect(done).toBeGreaterThan(490);
});

test('of a little less than can be done nothing is refused, whatever its priority', () => {
  const letIn = simulate({ [CRITICAL]: 50, [NORMAL]: 250, [LOW]: 150 }, 20);
  expect([...letIn.values()]).toEqual([1, 1, 1]);
});
