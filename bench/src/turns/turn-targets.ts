import type { Target } from '../report/target.ts';
import { type Spread, spreadOf } from '../statistics/spread.ts';
import { type ServiceByWeight, WEIGHED, WEIGHTS } from './measure-service.ts';
import type { TurnTime } from './time-turns.ts';
import type { EngineTurns } from './turns-data.ts';

const MOST_BEHIND_KEY = 1.2;
const MOST_TO_100_TENANTS = 3;
const MOST_TO_10_000_TENANTS = 1.2;

export function targetsOfTurns(behindKey: readonly TurnTime[], ofTenants: readonly TurnTime[]): Target[] {
  const ratio = (
    name: string,
    one: TurnTime | undefined,
    other: TurnTime | undefined,
    bound: number,
  ): Target[] =>
    one && other
      ? [{ name, bound, wanted: 'at most', unit: '×', measured: always(other.medianMs / one.medianMs) }]
      : [];
  const [none, ...behind] = behindKey;
  const [first, some, many] = ofTenants;
  const written = (count: number | undefined) => count?.toLocaleString('en-US');
  return [
    ...behind.flatMap((turn) =>
      ratio(
        `a turn with ${written(turn.waiting)} jobs behind a full key, to none`,
        none,
        turn,
        MOST_BEHIND_KEY,
      ),
    ),
    ...ratio(`a turn with ${some?.waiting} tenants waiting, to 1`, first, some, MOST_TO_100_TENANTS),
    ...ratio(
      `a turn with ${written(many?.waiting)} tenants waiting, to ${some?.waiting}`,
      some,
      many,
      MOST_TO_10_000_TENANTS,
    ),
  ];
}

const LEAST_OF_MANY_TENANTS = 0.9;
const LEAST_OF_FOUR_WORKERS = 0.9;
const MOST_BESIDE_HOG = 2;
const MOST_APART = 5;

export function targetsOfEngine({
  title,
  rates,
  byWorkers,
  longJobs,
  waits,
  service,
}: EngineTurns): Target[] {
  const [first, last] = [longJobs[0], longJobs.at(-1)];
  const growth = (figure: 'statementsPerSecond' | 'redisCommandsPerSecond') =>
    always((last?.[figure] ?? 0) / (first?.[figure] || 1) / ((last?.workers ?? 1) / (first?.workers ?? 1)));
  const atMost = (name: string, measured: Spread, bound: number, unit = '×'): Target => ({
    ...{ name: `${title}: ${name}`, measured, bound, wanted: 'at most', unit },
  });
  const atLeast = (name: string, measured: Spread, bound: number): Target => ({
    ...{ name: `${title}: ${name}`, measured, bound, wanted: 'at least', unit: '×' },
  });
  return [
    atLeast(
      'jobs/s of many tenants, to one',
      spreadOf(rates.map(({ one, many }) => many / one)),
      LEAST_OF_MANY_TENANTS,
    ),
    atLeast(
      'jobs/s of four workers, to two',
      spreadOf(byWorkers.map(({ two, four }) => four / two)),
      LEAST_OF_FOUR_WORKERS,
    ),
    atMost(
      'statements with long jobs, by which they grow more than workers',
      growth('statementsPerSecond'),
      1,
    ),
    ...(last?.redisCommandsPerSecond
      ? [
          atMost(
            'Redis commands with long jobs, by which they grow more than workers',
            growth('redisCommandsPerSecond'),
            1,
          ),
        ]
      : []),
    atMost(
      "small tenants' wait beside a large one, to alone",
      spreadOf(waits.map(({ alone, besideHog }) => besideHog / alone)),
      MOST_BESIDE_HOG,
    ),
    atMost('service apart from the weights', spreadOf(service.map(apart)), MOST_APART, '%'),
  ];
}

/** By how many percent the tenant that is farthest off its weight is. */
function apart({ parts }: ServiceByWeight): number {
  return Math.max(...WEIGHED.map((name) => Math.abs(parts[name] / WEIGHTS[name] - 1) * 100));
}

function always(value: number): Spread {
  return { median: value, min: value, max: value };
}
