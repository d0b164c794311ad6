import { openDatabase } from '@accepted/shared/database/connect';
import { ensureBootstrap } from '@accepted/shared/database/tenants';
import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { buildApp } from './app.ts';
import { publicUrl, readConfig } from './config.ts';

const config = readConfig();
const logger = pino({
  name: 'api',
  level: config.LOG_LEVEL,
  redact: ['req.headers.authorization', 'req.headers.cookie', 'headers.authorization', 'headers.cookie'],
});

const db = openDatabase(
  {
    url: config.DATABASE_URL,
    applicationName: 'accepted-api',
    maxConnections: config.DATABASE_POOL_SIZE,
    connectTimeoutMs: 800,
    statementTimeoutMs: 5_000,
  },
  (error) => logger.warn({ err: error }, 'an idle connection to Postgres was lost'),
);

if (config.BOOTSTRAP_API_KEY) await ensureBootstrap(db, { apiKey: config.BOOTSTRAP_API_KEY });

const app = await buildApp({ db, logger }, config);

closeWithGrace({ delay: config.SHUTDOWN_TIMEOUT_MS, logger }, async ({ signal, err }) => {
  if (err) logger.fatal({ err }, 'closing after an error that nothing caught');
  else logger.info({ signal }, 'closing');
  app.readiness.accepting = false;
  await app.close();
  await db.destroy();
});

await app.listen({ port: config.PORT, host: config.HOST });
logger.info({ url: publicUrl(config) }, 'ready for requests');
