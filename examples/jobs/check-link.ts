import { defineJob, RetryLaterError } from '@accepted/job';
import { z } from 'zod';

const DEFAULT_WAIT_S = 30;

/**
 * Asks whether a page of your own site answers. `SITE_URL` is the site; a payload can name a path of it only, because a
 * handler that fetches whatever URL it is given lets clients reach the network that the worker is in.
 */
export default defineJob({
  type: 'link.check',
  payload: z.object({ path: z.string().startsWith('/').max(2_000) }),
  result: z.object({ url: z.url(), status: z.int(), works: z.boolean() }),
  timeoutMs: 10_000,
  async run({ path }, ctx) {
    const url = new URL(process.env.SITE_URL ?? 'https://example.com');
    // Assigned and not resolved: `new URL('//elsewhere', site)` would be another host.
    url.pathname = path;
    const response = await fetch(url, { method: 'HEAD', redirect: 'manual', signal: ctx.signal });
    if (response.status === 429 || response.status === 503) {
      const waitS = Number(response.headers.get('retry-after') ?? DEFAULT_WAIT_S) || DEFAULT_WAIT_S;
      throw new RetryLaterError(`${url} asked for patience.`, { retryAfterMs: waitS * 1_000 });
    }
    return { url: url.href, status: response.status, works: response.status < 400 };
  },
});
