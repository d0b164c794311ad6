import { sql } from 'kysely';
import type { Database } from './connect.ts';
import { withSettings } from './session-settings.ts';
import { SettledClient } from './settled-client.ts';
import { REQUIRE_WRITABLE } from './writable.ts';

/**
 * Names the channels of NOTIFY and what their payload is. A notification is only a hint that saves waiting for the
 * next poll: it may be lost, doubled or late.
 */
export const CHANNELS = {
  /** The name of a queue that has work: jobs in it can run. Named for workers of earlier versions, which listen as well. */
  queueHasWork: 'accepted_job_ready',
  /** The name of a queue in which a waiting job got another time, which may be sooner than all others. */
  timesHaveChanged: 'accepted_job_scheduled',
  /** Ids of jobs that reached a terminal status, separated by commas. */
  jobFinished: 'accepted_job_finished',
  /** Ids of running jobs that somebody asked to cancel, separated by commas. */
  cancelRequested: 'accepted_cancel_requested',
  /** The id of a circuit breaker that was opened or closed. */
  breakerHasChanged: 'accepted_breaker',
  /** A worker that ends has left services to others; there is no payload. */
  serviceIsFree: 'accepted_service_free',
} as const;

type Channel = (typeof CHANNELS)[keyof typeof CHANNELS];
type Listeners = Partial<Record<Channel, (payload: string) => void>>;

/** Postgres allows a payload of 8,000 bytes; a UUID and a comma take 37. */
const IDS_PER_NOTIFICATION = 200;

/** Sends a notification outside any transaction: it holds no lock that commits would queue behind. */
export async function notify(db: Database, channel: Channel, payload: string): Promise<void> {
  await sql`/* notify */ SELECT pg_notify(${channel}, ${payload})`.execute(db);
}

/** Sends ids over a channel, as many notifications as they need. */
export async function notifyIds(db: Database, channel: Channel, ids: string[]): Promise<void> {
  for (let start = 0; start < ids.length; start += IDS_PER_NOTIFICATION) {
    await notify(db, channel, ids.slice(start, start + IDS_PER_NOTIFICATION).join(','));
  }
}

const RECONNECT_AFTER_MS = 500;
/**
 * A listener only waits, so that nothing else would tell it that its link is dead, or that its server takes no writes any
 * more: then nobody notifies there. With it, the other connections of this process find out.
 */
const PROBE_EVERY_MS = 1_000;

export interface ListenOptions {
  applicationName: string;
  probeEveryMs?: number;
  /** Is told each time that it listens again: what was sent before may have been missed. */
  onListening?: () => void;
  onError: (error: Error) => void;
}

/**
 * Listens on a connection of its own, which is made again whenever it is lost; resolves at once, so that a
 * process can start while Postgres is away. What is sent in between is missed: callers poll as well.
 */
export function listen(
  url: string,
  listeners: Listeners,
  { applicationName, probeEveryMs = PROBE_EVERY_MS, onListening, onError }: ListenOptions,
): { close(): Promise<void> } {
  let client: SettledClient | undefined;
  let next: NodeJS.Timeout | undefined;
  let closed = false;

  async function connect(): Promise<void> {
    const fresh = new SettledClient({
      connectionString: withSettings(url),
      application_name: applicationName,
      connectionTimeoutMillis: 5_000,
      query_timeout: 5_000,
      keepAlive: true,
    });
    client = fresh;
    fresh.on('notification', ({ channel, payload }) => listeners[channel as Channel]?.(payload ?? ''));
    fresh.on('error', (error) => {
      onError(error);
      replace(fresh);
    });
    fresh.on('end', () => replace(fresh));
    try {
      await fresh.connect();
      for (const channel of Object.keys(listeners))
        await fresh.query(`LISTEN ${fresh.escapeIdentifier(channel)}`);
      onListening?.();
      probeLater(fresh);
    } catch (error) {
      onError(error as Error);
      void fresh.end().catch(() => undefined);
      replace(fresh);
    }
  }

  function probeLater(probed: SettledClient): void {
    if (closed || client !== probed) return;
    next = setTimeout(async () => {
      await probed.query(REQUIRE_WRITABLE).catch(onError);
      probeLater(probed);
    }, probeEveryMs);
  }

  /** The end of a connection that has been replaced is told late, when its link was dead. */
  function replace(lost: SettledClient): void {
    if (closed || client !== lost) return;
    client = undefined;
    clearTimeout(next);
    next = setTimeout(() => void connect(), RECONNECT_AFTER_MS);
  }

  void connect();
  return {
    async close() {
      closed = true;
      clearTimeout(next);
      await client?.end().catch(() => undefined);
    },
  };
}
