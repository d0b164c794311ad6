import { PermanentError, RetryLaterError } from '@accepted/job';
import { OutboundError, type OutboundReply } from '../../outbound/guarded-request.ts';
import { replyText } from '../../outbound/reply-text.ts';
import { retryAfterMs } from '../../outbound/retry-after.ts';

const MAX_QUOTED = 500;

/** Turns a reply that is a failure into the error a handler throws. `retryable` says whether another try could help. */
export function failedReply(reply: OutboundReply, url: string, retryable: boolean): Error {
  const text = redirection(reply, url) ?? replyText(reply.body, reply.truncated)?.trim().slice(0, MAX_QUOTED);
  const message = `${withoutQuery(url)} answered ${reply.status} after ${reply.durationMs} ms${text ? `: ${text}` : '.'}`;
  const code = `http_${reply.status}`;
  if (!retryable) return new PermanentError(message, { code });
  const wait = retryAfterMs(reply.headers['retry-after'], new Date());
  return new RetryLaterError(message, wait === undefined ? { code } : { code, retryAfterMs: wait });
}

/** Says where a reply would have the call go; it does not go there. */
function redirection({ status, headers }: OutboundReply, url: string): string | undefined {
  const { location } = headers;
  if (status < 300 || status >= 400 || typeof location !== 'string') return undefined;
  const target = URL.parse(location, url);
  return `a redirect to ${target ? withoutQuery(target.href) : 'no valid URL'}, which is not followed.`;
}

/** Turns a call without a reply into the error a handler throws; what the guard refuses stays refused. */
export function failedCall(error: unknown): unknown {
  if (!(error instanceof OutboundError)) return error;
  const { code, message } = error;
  const refused = code === 'url_not_allowed' || code === 'address_not_allowed';
  return refused
    ? new PermanentError(message, { code, cause: error })
    : new RetryLaterError(message, { code, cause: error });
}

/** A query may hold a key, and messages are shown to people. */
function withoutQuery(text: string): string {
  const { origin, pathname } = new URL(text);
  return origin + pathname;
}
