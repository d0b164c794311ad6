import { acceptedPostgres, acceptedRedis } from '../contenders/accepted/accepted.ts';
import { ALL_CONTENDERS } from '../contenders/all-contenders.ts';
import { makePart } from '../report/make-part.ts';
import { type Table, writeFigure } from '../report/table.ts';
import type { Target } from '../report/target.ts';
import { type ContenderCost, type CostPart, type CostSize, measureCost } from './measure-cost.ts';
import { type IdleWorkers, measureIdleWorkers } from './measure-idle-workers.ts';
import { type BacklogMemory, measureRedisMemory } from './measure-redis-memory.ts';
import type { PathCost } from './path-cost.ts';
import { drawRedisMemory } from './plot-redis-memory.ts';

/** `cost.json`. */
export interface CostData extends CostPart {
  idleWorkers: IdleWorkers[];
  redisMemory: BacklogMemory[];
}

const SIZES = {
  small: {
    ...{ jobsAlone: 30, jobsUnderLoad: 1_000, backlogs: [1_000, 10_000, 100_000] },
    idle: { counts: [1, 2], seconds: 10 },
  },
  standard: {
    ...{ jobsAlone: 100, jobsUnderLoad: 5_000, backlogs: [1_000, 100_000, 1_000_000] },
    idle: { counts: [1, 2, 4], seconds: 30 },
  },
} as const satisfies Record<
  string,
  CostSize & { backlogs: readonly number[]; idle: Parameters<typeof measureIdleWorkers>[2] }
>;

const MB = 1_048_576;
const MOST_REDIS_MB = 64;
const LARGE_BACKLOG = 1_000_000;
const MOST_WAL_BYTES = 1_900;
const MOST_STATEMENTS_OF_ANOTHER = 1;
const MOST_COMMANDS_OF_ANOTHER = 2;

/** What a job says to Postgres and Redis, and what it leaves there. */
export const cost = makePart<CostData>({
  name: 'cost',
  title: 'What a job costs',
  async measure(servers, size, say) {
    const { backlogs, idle, ...costSize } = SIZES[size];
    const part = await measureCost(servers, [...ALL_CONTENDERS], costSize, say);
    const idleWorkers: IdleWorkers[] = [];
    for (const contender of [acceptedRedis, acceptedPostgres])
      idleWorkers.push(...(await measureIdleWorkers(servers, contender, idle, say)));
    return { ...part, idleWorkers, redisMemory: await measureRedisMemory(servers, backlogs, say) };
  },
  tables: ({ contenders, idleWorkers, redisMemory, connections }) => [
    {
      title: 'One of many',
      explanation: `A job among many, submitted over ${connections} connections and run by one worker: what the API and the worker say to each server, and what PostgreSQL writes to its log, with pages already logged and, in the last column, right after a checkpoint, when each page is logged whole at its first change. A Redis script is one request; the commands are those that Redis carried out, inside scripts too.`,
      table: tabulateCosts(contenders, 'underLoad'),
    },
    {
      title: 'A job alone',
      explanation: 'A job that comes alone, without what the idle system does anyway.',
      table: tabulateCosts(contenders, 'alone'),
    },
    {
      title: 'The idle system',
      explanation: 'The idle system, per second.',
      table: tabulateCosts(contenders, 'idlePerSecond'),
    },
    {
      title: 'Idle workers',
      explanation:
        'What workers say to the servers in a second while there is nothing to do, by their number.',
      table: tabulateIdle(idleWorkers),
    },
    {
      title: 'Memory of Redis',
      explanation: 'The memory of Redis while jobs wait, in MB; naive BullMQ has no worker then.',
      table: tabulateMemory(redisMemory),
    },
  ],
  plots: ({ redisMemory }) => [{ title: 'Memory of Redis by backlog', svg: drawRedisMemory(redisMemory) }],
  targets: ({ contenders, idleWorkers, redisMemory }) => [
    ...contenders
      .filter(({ name }) => name === 'accepted-redis')
      .map(
        ({ underLoad }): Target => ({
          name: 'log of PostgreSQL a job',
          measured: always(underLoad.walBytes),
          bound: MOST_WAL_BYTES,
          wanted: 'at most',
          unit: 'B',
        }),
      ),
    ...Map.groupBy(idleWorkers, ({ title }) => title)
      .values()
      .flatMap(targetsOfIdle),
    ...redisMemory
      .filter(({ backlog }) => backlog >= LARGE_BACKLOG)
      .map(
        ({ backlog, acceptedWorkingBytes }): Target => ({
          name: `Redis memory while ${backlog.toLocaleString('en-US')} jobs wait`,
          measured: always(acceptedWorkingBytes / MB),
          bound: MOST_REDIS_MB,
          wanted: 'at most',
          unit: 'MB',
        }),
      ),
  ],
});

const COLUMNS: Record<keyof PathCost, string> = {
  apiStatements: 'API statements',
  apiRoundTrips: 'API round trips',
  workerStatements: 'worker statements',
  workerRoundTrips: 'worker round trips',
  apiRedisRequests: 'API Redis requests',
  apiRedisRoundTrips: 'API Redis round trips',
  workerRedisRequests: 'worker Redis requests',
  workerRedisRoundTrips: 'worker Redis round trips',
  redisCommands: 'Redis commands',
  walBytes: 'WAL bytes',
};

function tabulateCosts(
  contenders: readonly ContenderCost[],
  load: 'alone' | 'underLoad' | 'idlePerSecond',
): Table {
  const keys = Object.keys(COLUMNS) as (keyof PathCost)[];
  const isUnderLoad = load === 'underLoad';
  return {
    header: ['', ...Object.values(COLUMNS), ...(isUnderLoad ? ['WAL bytes after a checkpoint'] : [])],
    rows: contenders.map((contender) => [
      contender.title,
      ...keys.map((key) => writeFigure(contender[load][key])),
      ...(isUnderLoad ? [writeFigure(contender.afterCheckpoint.walBytes)] : []),
    ]),
  };
}

function tabulateMemory(backlogs: readonly BacklogMemory[]): Table {
  return {
    header: ['jobs that wait', 'Accepted, a worker running', 'Accepted, none running', 'naive BullMQ'],
    rows: backlogs.map(({ backlog, acceptedWorkingBytes, acceptedStoppedBytes, naiveBytes }) => [
      backlog.toLocaleString('en-US'),
      ...[acceptedWorkingBytes, acceptedStoppedBytes, naiveBytes].map((bytes) => writeFigure(bytes / MB)),
    ]),
  };
}

function tabulateIdle(measured: readonly IdleWorkers[]): Table {
  return {
    header: ['', 'workers', 'statements', 'Redis commands'],
    rows: measured.map(({ title, workers, statementsPerSecond, redisCommandsPerSecond }) => [
      title,
      String(workers),
      writeFigure(statementsPerSecond),
      writeFigure(redisCommandsPerSecond),
    ]),
  };
}

/** What each worker beside the first one adds. */
function targetsOfIdle(measured: readonly IdleWorkers[]): Target[] {
  const [first, last] = [measured[0], measured.at(-1)];
  if (!first || !last || first === last) return [];
  type Figure = 'statementsPerSecond' | 'redisCommandsPerSecond';
  const ofAnother = (name: string, figure: Figure, bound: number): Target => ({
    ...{ name: `${first.title}: ${name} of another idle worker`, bound, wanted: 'at most', unit: '/s' },
    measured: always((last[figure] - first[figure]) / (last.workers - first.workers)),
  });
  return [
    ofAnother('statements', 'statementsPerSecond', MOST_STATEMENTS_OF_ANOTHER),
    ofAnother('Redis commands', 'redisCommandsPerSecond', MOST_COMMANDS_OF_ANOTHER),
  ];
}

function always(value: number) {
  return { median: value, min: value, max: value };
}
