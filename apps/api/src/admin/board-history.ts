import type { Database } from '@accepted/shared/ledger/connection/connect';
import { readHistory } from '@accepted/shared/ledger/queues/history';
import type { MetricsHistoryProvider } from '@bull-board/api/typings/app';

const STATUS_OF = { completed: 'succeeded', failed: 'failed' } as const;

/** Shows Bull Board how many jobs finished over time, of a queue or of all; of dead letters there is no such number. */
export function boardHistory(db: Database): MetricsHistoryProvider {
  return {
    async getHistory({ queue, metric, from, to, granularity }) {
      if (metric === 'queueage') return [];
      const query = { queue, status: STATUS_OF[metric], fromMs: from, toMs: to, granularity };
      const points = await readHistory(db, query);
      return points.map(({ atMs, jobs }) => ({ ts: atMs, value: jobs }));
    },
  };
}
