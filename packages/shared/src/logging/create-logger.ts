import { type Logger, pino } from 'pino';
import { describeError } from './describe-error.ts';
import { strikeOut } from './strike-out.ts';

export interface LoggerOptions {
  name: string;
  level: string;
  /** What this process was told and nobody may read: passwords, keys, and URLs that carry a password. */
  secrets: readonly (string | undefined)[];
}

const HEADERS = ['headers', 'req.headers', 'request.headers'].flatMap((at) =>
  ['authorization', 'cookie', '["set-cookie"]'].map(
    (name) => `${at}${name.startsWith('[') ? '' : '.'}${name}`,
  ),
);

/**
 * Makes the logger of a process: JSON, one line an entry, on stdout. Errors are written without what drivers put on them,
 * and every line is searched for secrets before it leaves, whoever wrote it.
 */
export function createLogger({ name, level, secrets }: LoggerOptions): Logger {
  return pino({
    name,
    level,
    redact: HEADERS,
    serializers: { err: describeError },
    hooks: { streamWrite: strikeOut(secrets) },
  });
}
