import { parsePublicId } from '@accepted/shared/core/job/id';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import {
  discardDeadLetter,
  discardShownDeadLetters,
} from '@accepted/shared/ledger/dead-letters/dead-letters';
import type { BeforeHookResult, BoardHooks, HookContext } from '@bull-board/api/typings/app';

/** What an operator may change in Bull Board, as `method route` of Bull Board's own table. */
const RETRY = 'put /api/queues/:queueName/:jobId/retry';
const RETRY_ALL = 'put /api/queues/:queueName/retry/:queueStatus';
const REMOVE = 'put /api/queues/:queueName/:jobId/clean';
const CLEAN_ALL = 'put /api/queues/:queueName/clean/:queueStatus';

/**
 * Lets Bull Board read everything, and change only what means something to the ledger: retrying an entry, or all
 * failed ones, which replays them, and removing one, or all failed ones, which discards them. Editing or emptying a
 * queue behind the ledger's back would only be undone. Queues that are read-only stay so whatever this says.
 */
export function boardRules(
  db: Database,
  queueOfDeadLetters: (name: string) => string | undefined,
): BoardHooks {
  async function discard(jobId: string): Promise<void> {
    const id = parsePublicId('deadLetter', jobId);
    if (id) await discardDeadLetter(db, id, REMOVED);
  }

  return {
    async before({ method, route, request }: HookContext): Promise<BeforeHookResult> {
      if (method === 'get') return;
      const { queueName, jobId, queueStatus } = request.params;
      const queue = queueOfDeadLetters(String(queueName));
      if (queue === undefined) return refuse('This queue can only be looked at.');
      const action = `${method} ${route}`;
      if (action === RETRY || (action === RETRY_ALL && queueStatus === 'failed')) return;
      // The ledger first: a removal alone would be taken for a loss, and the entry shown again.
      if (action === REMOVE) return await discard(String(jobId));
      if (action === CLEAN_ALL && queueStatus === 'failed') {
        return await discardShownDeadLetters(db, queue, REMOVED);
      }
      return refuse('Dead letters can be retried or removed, and nothing else.');
    },
  };
}

const REMOVED = { actor: 'bull-board', reason: 'removed in Bull Board' };

function refuse(message: string): BeforeHookResult {
  return { allow: false, status: 403, message };
}
