import { expect, test } from 'vitest';
import { createArrivalLog } from './arrival-log.ts';
import { createForecast } from './forecast.ts';

const QUEUE = 'default';

test('of a job that somebody has looked at it is known how many go before it', () => {
  const seen = { queue: QUEUE, seenAtMs: 0, weights: new Map(), inDelivery: 10, perSecond: 10 };
  const going = [{ tenantId: 'a', priority: 2, jobs: 100, ageMs: 10_000 }];
  const forecast = createForecast({ ...seen, going }, { log: createArrivalLog(-20_000), nowMs: 0 });
  expect(forecast.startOf({ tenantId: 'a', priority: 2, before: 20 }, 0)?.startsInMs).toBe(3_000);
  expect(forecast.startOf({ tenantId: 'a', priority: 2, before: 20 }, 1_500)?.startsInMs).toBe(1_500);
  expect(forecast.startOf({ tenantId: 'a', priority: 2 }, 0)?.startsInMs).toBe(11_000);
  expect(forecast.startInDelivery()?.startsInMs).toBe(1_000);
});

test('where nobody works nothing is foreseen', () => {
  const seen = { queue: QUEUE, seenAtMs: 0, weights: new Map(), inDelivery: 0, perSecond: 0 };
  const forecast = createForecast({ ...seen, going: [] }, { log: createArrivalLog(0), nowMs: 0 });
  expect(forecast.startOf({ tenantId: 'a', priority: 2 }, 0)).toBeUndefined();
  expect(forecast.startInDelivery()).toBeUndefined();
});
