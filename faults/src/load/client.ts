import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { FaultKind } from '../kinds.ts';
import type { AckLine } from '../logs.ts';
import type { Journal } from '../world/journal.ts';
import type { PlannedJob } from './mix.ts';

/** A client of the API that does not give up: it sends the same request, under the same key, until it is answered. */
export interface Client {
  /** Answers the job's id, once that is on record, as the tenant of the API key; `undefined` when it was refused for good or the time is over. */
  submit(job: PlannedJob, apiKey?: string): Promise<string | undefined>;
  /** Asks to cancel a job until somebody answers. */
  cancel(jobId: string): Promise<void>;
  /** Asks to replay a dead letter until somebody answers. */
  replay(deadLetterId: string): Promise<void>;
  close(): Promise<void>;
}

export interface ClientOptions {
  apiUrls: string[];
  apiKey: string;
  /** Of the other tenant, for jobs of the kind `neighbour`. */
  neighbourKey: string;
  acks: Journal<AckLine>;
  /** The faults that were under way at some time since. */
  faultsSince: (at: number) => FaultKind[];
  /** Stops the trying. */
  deadline: AbortSignal;
}

const REPLY_TIMEOUT_MS = 5_000;
const CONNECTIONS_PER_API = 64;
const CONFLICT = 409;
const RETRY_AFTER_MS = { least: 50, most: 1_000 };

interface Reply {
  outcome: AckLine['outcome'];
  status: number | null;
  jobId: string | null;
  isProblem: boolean;
  retryAfterMs: number;
}

export function openClient(options: ClientOptions): Client {
  const { apiUrls, acks, deadline } = options;
  const agent = new Agent({
    connections: CONNECTIONS_PER_API,
    headersTimeout: REPLY_TIMEOUT_MS,
    bodyTimeout: REPLY_TIMEOUT_MS,
    connect: { timeout: 1_000 },
  });
  let turn = 0;

  /** Goes to the servers in turn, as behind a load balancer: a retry meets another one. */
  async function post(
    path: string,
    body: string,
    headers: Record<string, string>,
    apiKey = options.apiKey,
  ): Promise<Reply> {
    const url = `${apiUrls[turn++ % apiUrls.length]}${path}`;
    try {
      const reply = await request(url, {
        method: 'POST',
        dispatcher: agent,
        headers: { authorization: `Bearer ${apiKey}`, ...headers },
        body,
      });
      return readReply(reply.statusCode, reply.headers, await reply.body.text());
    } catch {
      return {
        outcome: 'unknown',
        status: null,
        jobId: null,
        isProblem: false,
        retryAfterMs: RETRY_AFTER_MS.least,
      };
    }
  }

  async function submitOnce(job: PlannedJob, body: string, apiKey: string): Promise<Reply> {
    const startedAt = Date.now();
    const started = performance.now();
    const headers = { 'content-type': 'application/json', 'idempotency-key': job.key };
    const reply = await post('/v1/jobs', body, headers, apiKey);
    const during = options.faultsSince(startedAt);
    const { retryAfterMs, ...said } = reply;
    await acks.write({
      at: Date.now(),
      key: job.key,
      ...said,
      kind: job.kind,
      latencyMs: Math.round((performance.now() - started) * 10) / 10,
      during: during.length > 0 ? during : null,
      final: deadline.aborted || !isWorthAnother(reply),
    });
    return reply;
  }

  async function act(path: string): Promise<void> {
    while (!deadline.aborted) {
      const reply = await post(path, '', {});
      // The 409 of an act is an answer: it was done already, or is too late.
      if (reply.status === CONFLICT || !isWorthAnother(reply)) return;
      await delay(reply.retryAfterMs);
    }
  }

  return {
    async submit(job, apiKey = job.kind === 'neighbour' ? options.neighbourKey : options.apiKey) {
      const body = JSON.stringify(job.body);
      for (;;) {
        const reply = await submitOnce(job, body, apiKey);
        if (deadline.aborted || !isWorthAnother(reply)) return reply.jobId ?? undefined;
        await delay(reply.retryAfterMs);
      }
    },
    cancel: (jobId) => act(`/v1/jobs/${jobId}/cancel`),
    replay: (deadLetterId) => act(`/v1/dead-letters/${deadLetterId}/replay`),
    close: () => agent.destroy(),
  };
}

function isWorthAnother({ outcome, status }: Reply): boolean {
  if (outcome === 'accepted') return false;
  return status === null || status === CONFLICT || status === 429 || status >= 500;
}

function readReply(status: number, headers: IncomingHttpHeaders, body: string): Reply {
  const { id } = parseJob(body);
  if ((status === 200 || status === 202) && id)
    return { outcome: 'accepted', status, jobId: id, isProblem: false, retryAfterMs: 0 };
  const isProblem = String(headers['content-type']).startsWith('application/problem+json');
  const wantedMs = Number(headers['retry-after']) * 1_000 || RETRY_AFTER_MS.least;
  const retryAfterMs = Math.min(RETRY_AFTER_MS.most, Math.max(RETRY_AFTER_MS.least, wantedMs));
  return { outcome: 'refused', status, jobId: null, isProblem, retryAfterMs };
}

function parseJob(body: string): { id?: string } {
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}
