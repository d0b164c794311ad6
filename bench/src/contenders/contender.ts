import type { SpawnedProcess } from '@accepted/testing/spawn-process';
import type { Stores } from '../world/stores.ts';
import type { Environment } from './start-programs.ts';

export type ContenderName =
  | 'limit'
  | 'naive-bullmq'
  | 'hand-written'
  | 'pg-boss'
  | 'graphile-worker'
  | 'accepted-redis'
  | 'accepted-postgres';

/** One way to take jobs over HTTP and run them: a set of programs, and where they leave what became of a job. */
export interface Contender {
  readonly name: ContenderName;
  /** How tables and plots call it. */
  readonly title: string;
  /** Whether it runs jobs at all; the limit only answers. */
  readonly runsJobs: boolean;
  /** Makes its tables in an empty database, and whatever else must be there before its API can start. */
  prepare(stores: Stores): Promise<void>;
  startApi(stores: Stores): Promise<Api>;
  /** Starts one more worker process; resolves when it takes jobs. */
  startWorker(stores: Stores, env?: Environment): Promise<SpawnedProcess>;
  /** Counts the jobs whose outcome is not committed yet. It is polled while the contender works, so it must be cheap. */
  countUnfinished(stores: Stores): Promise<number>;
  /** Makes a store that forgets finished jobs remember when they were; it costs a little, so it is asked for. */
  rememberOutcomes?(stores: Stores): Promise<void>;
  /** Lists when the outcome of each job was committed of the store. */
  listOutcomes(stores: Stores): Promise<Outcome[]>;
}

/** An API process that is ready, and how a client asks it for a job. */
export interface Api {
  readonly process: SpawnedProcess;
  /** Where jobs are posted. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Outcome {
  /** `n` of the job's payload. */
  n: number;
  /** Milliseconds since 1970, with fractions where the contender has them. */
  at: number;
}
