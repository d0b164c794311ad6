import { parsePublicId, publicId } from '@accepted/shared/core/job/id';
import { numbersAsText, parseExactly } from '@accepted/shared/core/json/exact-numbers';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import {
  findJobOfAnybody,
  listQueuedJobs,
  type QueuedJob,
  type QueuedState,
} from '@accepted/shared/ledger/queues/queued-jobs';
import { BaseAdapter } from '@bull-board/api/dist/queueAdapters/base.js';
import type {
  JobCounts,
  JobStatus,
  QueueJob,
  QueueJobJson,
  QueueMetrics,
  QueueWorker,
  RedisStats,
  Status,
} from '@bull-board/api/typings/app';
import type { QueueStatistics } from '../routes/queues/queue-statistics.ts';

/** What a queue of the ledger is shown by. */
interface LedgerQueueOptions {
  db: Database;
  queue: string;
  /** What the ledger says of it now; `undefined` where there is no such queue. */
  read(): Promise<(QueueStatistics & { pausedAt: Date | null }) | undefined>;
  /** Knows of the server that the engine runs on. */
  engine: Pick<BaseAdapter, 'getRedisInfo' | 'getDatastoreStats'>;
}

/** Whoever asks for longer pages gets these. */
const LONGEST_PAGE = 50;

const STATES: QueuedState[] = ['active', 'waiting', 'delayed'];
const DESCRIPTION =
  'What waits and runs, as the ledger has it: to be looked at. The engine holds a part of it only.';

/** Shows Bull Board the jobs of a queue as the ledger has them; nothing can be changed. */
export class LedgerQueue extends BaseAdapter {
  readonly #options: LedgerQueueOptions;

  constructor(options: LedgerQueueOptions) {
    // The board asks queues of BullMQ 6 for more, which has no meaning here.
    super('bull', { readOnlyMode: true, allowRetries: false, description: DESCRIPTION });
    this.#options = options;
  }

  getName(): string {
    return this.#options.queue;
  }

  getStatuses(): Status[] {
    return ['latest', ...STATES];
  }

  getJobStatuses(): JobStatus[] {
    return STATES;
  }

  async getJobCounts(): Promise<JobCounts> {
    const { queued = 0, running = 0, scheduled = 0, retrying = 0 } = (await this.#options.read()) ?? {};
    const counts: Partial<JobCounts> = { active: running, waiting: queued, delayed: scheduled + retrying };
    return counts as JobCounts;
  }

  async getJobs(statuses: JobStatus[], start = 0, end = 0): Promise<QueueJob[]> {
    const { db, queue } = this.#options;
    const page = { offset: start, limit: Math.min(LONGEST_PAGE, end - start + 1) };
    const states = STATES.filter((state) => statuses.includes(state));
    const lists = await Promise.all(states.map((state) => listQueuedJobs(db, queue, state, page)));
    return lists.flat().map(boardJob);
  }

  async getJob(id: string): Promise<QueueJob | undefined> {
    const uuid = parsePublicId('job', id);
    const row = uuid && (await findJobOfAnybody(this.#options.db, uuid));
    return row && row.queue === this.#options.queue ? boardJob(row) : undefined;
  }

  async isPaused(): Promise<boolean> {
    return ((await this.#options.read())?.pausedAt ?? null) !== null;
  }

  override async getWorkers(): Promise<QueueWorker[] | null> {
    const workers = (await this.#options.read())?.workers ?? 0;
    return workers > 0 ? null : [];
  }

  async getJobLogs(): Promise<string[]> {
    return [];
  }

  async getMetrics(): Promise<QueueMetrics> {
    return { meta: { count: 0, prevTS: 0, prevCount: 0 }, data: [], count: 0 };
  }

  getRedisInfo(): Promise<string | null> {
    return this.#options.engine.getRedisInfo();
  }

  override getDatastoreStats(): Promise<RedisStats | null> {
    return this.#options.engine.getDatastoreStats();
  }

  async getGlobalConcurrency(): Promise<number | null> {
    return null;
  }

  async getJobSchedulers(): Promise<[]> {
    return [];
  }

  async getJobSchedulersCount(): Promise<number> {
    return 0;
  }

  readonly addJob = refuse;
  readonly clean = refuse;
  readonly empty = refuse;
  readonly obliterate = refuse;
  readonly pause = refuse;
  readonly promoteAll = refuse;
  readonly removeJobScheduler = refuse;
  readonly resume = refuse;
  readonly runJobSchedulerNow = refuse;
  readonly setGlobalConcurrency = refuse;
  readonly updateJobScheduler = refuse;
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('This queue can only be looked at.'));
}

function boardJob(row: QueuedJob): QueueJob {
  return {
    opts: {},
    toJSON: () => jsonOf(row),
    getState: async () => stateOf(row),
    promote: refuse,
    remove: refuse,
    retry: refuse,
  };
}

function jsonOf(row: QueuedJob): QueueJobJson {
  return {
    id: publicId('job', row.id),
    name: row.type,
    progress: (row.progress ?? 0) as QueueJobJson['progress'],
    attemptsMade: row.attempts_made,
    processedOn: row.started_at?.getTime() ?? null,
    finishedOn: row.finished_at?.getTime() ?? null,
    processedBy: row.worker_id && publicId('worker', row.worker_id),
    timestamp: row.created_at.getTime(),
    delay: Math.max(0, row.run_at.getTime() - row.created_at.getTime()),
    failedReason: '',
    stacktrace: [],
    returnvalue: null,
    opts: {},
    data: {
      status: row.status,
      tenantId: publicId('tenant', row.tenant_id),
      payload: shownPayload(row),
      ...(row.concurrency_key !== null && { concurrencyKey: row.concurrency_key }),
      tags: row.tags,
      metadata: row.metadata,
      requestId: row.request_id,
    },
  };
}

/** One that was cut off is text. */
function shownPayload({ payloadText, isCut }: QueuedJob): unknown {
  return isCut ? `${payloadText}…` : numbersAsText(parseExactly(payloadText));
}

function stateOf({ status }: QueuedJob): 'active' | 'waiting' | 'delayed' | 'completed' | 'failed' {
  if (status === 'running') return 'active';
  if (status === 'scheduled' || status === 'retrying') return 'delayed';
  if (status === 'queued') return 'waiting';
  return status === 'succeeded' ? 'completed' : 'failed';
}
