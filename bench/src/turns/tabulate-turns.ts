import { type Table, writeFigure } from '../report/table.ts';
import { spreadOf } from '../statistics/spread.ts';
import { WEIGHED, WEIGHTS } from './measure-service.ts';
import type { TurnTime } from './time-turns.ts';
import type { EngineTurns } from './turns-data.ts';

export function tabulateTurns(behindKey: readonly TurnTime[], ofTenants: readonly TurnTime[]): Table {
  const rowOf =
    (what: string) =>
    ({ waiting, medianMs, p95Ms }: TurnTime) => [
      `${waiting.toLocaleString('en-US')} ${what}`,
      writeFigure(medianMs),
      writeFigure(p95Ms),
    ];
  return {
    header: ['', 'median', 'p95'],
    rows: [...behindKey.map(rowOf('jobs behind a full key')), ...ofTenants.map(rowOf('tenants'))],
  };
}

export function tabulateRates(engines: readonly EngineTurns[]): Table {
  return {
    header: ['', 'one tenant', 'many tenants', 'ratio'],
    rows: engines.map(({ title, rates }) => [
      title,
      writeFigure(medianOf(rates, ({ one }) => one)),
      writeFigure(medianOf(rates, ({ many }) => many)),
      writeFigure(medianOf(rates, ({ one, many }) => many / one)),
    ]),
  };
}

export function tabulateWorkers(engines: readonly EngineTurns[]): Table {
  return {
    header: ['', 'two workers', 'four workers', 'ratio'],
    rows: engines.map(({ title, byWorkers }) => [
      title,
      writeFigure(medianOf(byWorkers, ({ two }) => two)),
      writeFigure(medianOf(byWorkers, ({ four }) => four)),
      writeFigure(medianOf(byWorkers, ({ two, four }) => four / two)),
    ]),
  };
}

export function tabulateLongJobs(engines: readonly EngineTurns[]): Table {
  return {
    header: ['', 'workers', 'statements', 'Redis commands'],
    rows: engines.flatMap(({ title, longJobs }) =>
      longJobs.map(({ workers, statementsPerSecond, redisCommandsPerSecond }) => [
        ...[title, String(workers), writeFigure(statementsPerSecond), writeFigure(redisCommandsPerSecond)],
      ]),
    ),
  };
}

export function tabulateWaits(engines: readonly EngineTurns[]): Table {
  return {
    header: ['', 'alone', 'beside the large one', 'ratio'],
    rows: engines.map(({ title, waits }) => [
      title,
      writeFigure(medianOf(waits, ({ alone }) => alone)),
      writeFigure(medianOf(waits, ({ besideHog }) => besideHog)),
      writeFigure(medianOf(waits, ({ alone, besideHog }) => besideHog / alone)),
    ]),
  };
}

export function tabulateService(engines: readonly EngineTurns[]): Table {
  return {
    header: ['', ...WEIGHED.map((name) => `weight ${WEIGHTS[name]}`)],
    rows: engines.map(({ title, service }) => [
      title,
      ...WEIGHED.map((name) => writeFigure(medianOf(service, ({ parts }) => parts[name]))),
    ]),
  };
}

function medianOf<Round>(rounds: readonly Round[], figure: (round: Round) => number): number {
  return spreadOf(rounds.map(figure)).median;
}
