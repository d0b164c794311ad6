/** The figures of a smoke run, all of Accepted on Redis. Under load means 64 connections. */
export interface SmokeFigures {
  /** Jobs accepted a second, as a share of what the limit answers. */
  acceptShareOfLimit: number;
  /** Statements and round trips of the API to PostgreSQL for a job that comes alone. */
  acceptStatements: number;
  acceptRoundTrips: number;
  /** Those of the worker, from the dispatch to the outcome. */
  workStatements: number;
  workRoundTrips: number;
  /** The same for a job among many, which share batches. */
  acceptStatementsUnderLoad: number;
  workStatementsUnderLoad: number;
  /** Commands of the API to Redis. */
  acceptRedisRequests: number;
  /** Turns of the worker's connections to Redis, for a job that comes alone and for one among many. */
  redisRoundTrips: number;
  redisRoundTripsUnderLoad: number;
  /** What the API allocates on its heap to accept a job under load. */
  acceptAllocatedKb: number;
}

/** What a figure is held to. */
export interface Budget {
  figure: keyof SmokeFigures;
  title: string;
  /** The lower bound is below what the work must cost: to do nothing, or to measure nothing, breaks it. */
  bound: { atMost?: number; atLeast: number };
  /** What a broken budget means. */
  reason: string;
}

/**
 * What a job costs that comes alone is the same in every run, but for what the API looks up once a second: these bounds
 * leave no room for another statement. What it costs among many depends on how many share a batch, and times depend on
 * the machine: these bounds are about twice what was seen, and those from below about half.
 */
export const BUDGETS: Budget[] = [
  {
    figure: 'acceptShareOfLimit',
    title: 'accepts, as a share of the limit',
    bound: { atLeast: 0.2 },
    reason: 'Accepting a job became slower beside the same route that stores nothing.',
  },
  {
    figure: 'acceptStatements',
    title: 'statements to accept one job',
    bound: { atLeast: 0.9, atMost: 1.5 },
    reason: 'One inserts the job, and notifies the dispatcher with its commit.',
  },
  {
    figure: 'acceptRoundTrips',
    title: 'round trips to accept one job',
    bound: { atLeast: 0.9, atMost: 1.5 },
    reason: 'One inserts the job, and notifies the dispatcher with its commit.',
  },
  {
    figure: 'workStatements',
    title: 'statements to run one job',
    bound: { atLeast: 3, atMost: 4.6 },
    reason: 'Dispatch, claim and outcome ask Postgres for more than before.',
  },
  {
    figure: 'workRoundTrips',
    title: 'round trips to run one job',
    bound: { atLeast: 3, atMost: 4.6 },
    reason: 'Dispatch, claim and outcome ask Postgres for more than before.',
  },
  {
    figure: 'acceptStatementsUnderLoad',
    title: 'statements to accept one of many',
    bound: { atLeast: 0.02, atMost: 0.2 },
    reason: 'Requests that arrive together no longer share an insert.',
  },
  {
    figure: 'workStatementsUnderLoad',
    title: 'statements to run one of many',
    bound: { atLeast: 0.03, atMost: 0.3 },
    reason: 'Jobs that run together no longer share claims, outcomes and dispatches.',
  },
  {
    figure: 'acceptRedisRequests',
    title: 'Redis commands to accept one job',
    bound: { atLeast: 0, atMost: 0.01 },
    reason: 'The API must not touch Redis to accept a job.',
  },
  {
    figure: 'redisRoundTrips',
    title: 'Redis round trips to run one job',
    bound: { atLeast: 3, atMost: 8 },
    reason: 'Handing a job over costs more turns than before.',
  },
  {
    figure: 'redisRoundTripsUnderLoad',
    title: 'Redis round trips to run one of many',
    bound: { atLeast: 0.03, atMost: 0.3 },
    reason: 'Jobs that run together no longer share turns to Redis.',
  },
  {
    figure: 'acceptAllocatedKb',
    title: 'kB allocated to accept one job',
    bound: { atLeast: 15, atMost: 45 },
    reason: 'Accepting a job leaves more for the garbage collector.',
  },
];
