import { setTimeout as delay } from 'node:timers/promises';
import type { BullmqStore } from '@accepted/shared/engine/bullmq-store';
import { shelfName } from '@accepted/shared/engine/names';
import { openStore } from '@accepted/shared/engine/open-store';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { useConnections } from '../plugins/database.ts';
import { queueStatistics } from '../routes/queues/queue-statistics.ts';
import { boardHistory } from './board-history.ts';
import { boardRules } from './board-rules.ts';
import { ENGINE_AWAY, engineAwayPage } from './engine-away-page.ts';
import { entryData, entryName } from './entry-view.ts';
import { LedgerQueue } from './ledger-queue.ts';
import { login } from './login.ts';
import { PAGE_CSP } from './page.ts';
import { sameOrigin } from './same-origin.ts';
import { adminSession } from './session.ts';

export interface BullBoardOptions {
  password: string;
  databaseUrl: string;
  redisUrl: string | undefined;
  publicUrl: string;
}

const PREFIX = '/admin/queues';

/** The board writes style attributes; everything it loads comes from here. */
const BOARD_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'";

const FONTS_OF_A_CDN = /<link [^>]*fonts\.googleapis\.com[^>]*>/g;

/** Serves Bull Board at `/admin/queues`, behind a login of its own. */
export const bullBoard: FastifyPluginAsync<BullBoardOptions> = async (app, options) => {
  const { password, publicUrl } = options;
  useConnections(app, 'admin');
  await app.register(queueStatistics);
  await app.register(sameOrigin, { publicUrl });
  await app.register(adminSession, { password, isSecure: publicUrl.startsWith('https:') });
  await app.register(login);
  await app.register(board, options);
};

const board: FastifyPluginAsync<BullBoardOptions> = async (app, { databaseUrl, redisUrl }) => {
  // Connects behind this: the API starts, and answers all else, without the engine.
  const onError = (error: Error) => app.log.warn({ err: error }, 'the queue engine is in trouble');
  const store = openStore({ databaseUrl, redisUrl, onError });
  app.addHook('onClose', () => store.close());

  const server = new FastifyAdapter();
  const queuesOfDeadLetters = new Map<string, string>();
  const adapters = new Map<string, BullMQAdapter | LedgerQueue>();
  const { replaceQueues } = createBullBoard({
    queues: [],
    serverAdapter: server,
    options: {
      historyProvider: boardHistory(app.db),
      handlerHooks: boardRules(app.db, (name) => queuesOfDeadLetters.get(name)),
      uiConfig: {
        boardTitle: 'Accepted',
        hideDocsLink: true,
        miscLinks: [{ text: 'Log out', url: '/admin/logout' }],
      },
    },
  });

  // Its own handler would show operators a sentence of the driver.
  server.setErrorHandler((error) => {
    app.log.warn({ err: error }, 'the board could not read the queue engine');
    // Its type knows 500 as the only status of a server at fault.
    return { status: 500, body: { error: ENGINE_AWAY, message: ENGINE_AWAY } };
  });

  /** One adapter a name, however often it goes and comes back. */
  function adapterOf<Adapter extends BullMQAdapter | LedgerQueue>(name: string, make: () => Adapter) {
    const adapter = adapters.get(name) ?? make();
    adapters.set(name, adapter);
    return adapter;
  }

  function showQueue(queue: string) {
    const engine = showDeadLetters(queue);
    const read = () => readStatistics(app, queue);
    return adapterOf(queue, () => new LedgerQueue({ db: app.db, queue, read, engine }));
  }

  function showDeadLetters(queue: string) {
    const name = shelfName(queue);
    queuesOfDeadLetters.set(name, queue);
    return adapterOf(name, () => {
      const entries = new BullMQAdapter(store.queue(name), { description: DEAD_LETTER_QUEUE });
      entries.setFormatter('name', entryName);
      entries.setFormatter('data', entryData);
      return entries;
    });
  }

  app.addHook('onRequest', async (request, reply) => {
    reply.header('content-security-policy', BOARD_CSP);
    if (app.adminSession.isOpen(request)) return;
    if (request.headers.accept?.includes('text/html')) return reply.redirect('/admin/login', 303);
    return reply.code(401).send({ error: 'Log in at /admin/login.' });
  });
  app.addHook('preHandler', async (request, reply) => {
    if (!(await comesUp(store))) return answerAway(request, reply, store.kind);
    const { queues } = await app.catalog.read();
    replaceQueues([...queues].flatMap((queue) => [showQueue(queue), showDeadLetters(queue)]));
  });
  app.addHook('onSend', async (_request, reply, payload) => {
    const isPage = String(reply.getHeader('content-type')).startsWith('text/html');
    return isPage && typeof payload === 'string' ? payload.replace(FONTS_OF_A_CDN, '') : payload;
  });
  await app.register(server.setBasePath(PREFIX).registerPlugin(), { prefix: PREFIX });
};

async function readStatistics(app: FastifyInstance, queue: string) {
  const [queues, rules] = await Promise.all([app.readQueueStatistics(), app.readQueueRules()]);
  const statistics = queues.find(({ name }) => name === queue);
  return statistics && { ...statistics, pausedAt: rules.get(queue)?.pausedAt ?? null };
}

const COMES_UP_MS = 1_000;
const LOOK_EVERY_MS = 50;

/** A server that has just started is still connecting. */
async function comesUp(store: BullmqStore): Promise<boolean> {
  const deadline = performance.now() + COMES_UP_MS;
  while (!store.isReady() && performance.now() < deadline) await delay(LOOK_EVERY_MS);
  return store.isReady();
}

function answerAway(request: FastifyRequest, reply: FastifyReply, kind: BullmqStore['kind']): FastifyReply {
  reply.code(503).headers({ 'cache-control': 'no-store', 'retry-after': '5' });
  if (!request.headers.accept?.includes('text/html')) {
    return reply.send({ error: ENGINE_AWAY, message: ENGINE_AWAY });
  }
  return reply.header('content-security-policy', PAGE_CSP).type('text/html').send(engineAwayPage(kind));
}

const DEAD_LETTER_QUEUE = 'Jobs that failed for good. Retry replays a job under its id; remove discards it.';
