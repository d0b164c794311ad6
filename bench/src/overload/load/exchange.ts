import type { Pool } from 'undici';

/** What is looked at of an answer. */
export interface Reply {
  /** 0: the connection broke. */
  status: number;
  location: string;
  retryAfterSeconds: number;
  /** The `code` of a problem. */
  code?: string;
}

export interface Asked {
  method: 'GET' | 'POST';
  path: string;
  headers: Readonly<Record<string, string>>;
  body?: string;
}

/** Sends a request and tells of its answer once it is whole. As cheap as can be: whoever floods shares the cores with what is flooded. */
export function exchange(pool: Pool, asked: Asked, onReply: (reply: Reply) => void): void {
  const reply: Reply = { status: 0, location: '', retryAfterSeconds: 0 };
  let problem = '';
  pool.dispatch(asked, {
    onRequestStart: () => undefined,
    onResponseStart(_controller, status, headers) {
      if (status < 200) return;
      reply.status = status;
      reply.location = String(headers.location ?? '');
      reply.retryAfterSeconds = Number(headers['retry-after'] ?? 0);
    },
    onResponseData(_controller, chunk) {
      if (reply.status >= 400) problem += chunk.toString();
    },
    onResponseEnd() {
      const code = codeOf(problem);
      onReply(code === undefined ? reply : { ...reply, code });
    },
    onResponseError: () => onReply({ ...reply, status: 0 }),
  });
}

function codeOf(problem: string): string | undefined {
  return /"code":\s*"(\w+)"/.exec(problem)?.[1];
}
