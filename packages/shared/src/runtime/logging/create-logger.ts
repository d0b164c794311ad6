import { type Bindings, type Logger, pino } from 'pino';
import { type IdKind, readableId } from '../../core/job/id.ts';
import { describeError } from './describe-error.ts';
import { quietRepeats } from './quiet-repeats.ts';
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

/** The fields that hold ids, by the kind of each; a list has an `s` behind. */
const ID_FIELDS = {
  jobId: 'job',
  workerId: 'worker',
  deadLetterId: 'deadLetter',
  tenantId: 'tenant',
  apiKeyId: 'apiKey',
  bulkReplayId: 'bulkReplay',
} as const satisfies Record<string, IdKind>;

const ID_SERIALIZERS = Object.fromEntries(
  Object.entries(ID_FIELDS).flatMap(([field, kind]) => [
    [field, (id: unknown) => readableId(kind, id)],
    [`${field}s`, (ids: unknown) => (Array.isArray(ids) ? ids.map((id) => readableId(kind, id)) : ids)],
  ]),
);

/**
 * Makes the logger of a process: JSON, one line an entry, on stdout. Errors are written without what drivers put on them,
 * ids as the API spells them, and every line is searched for secrets before it leaves, whoever wrote it. A failure that is
 * nothing of one request or one job is of something that is tried again: its repeats are counted instead of written.
 */
export function createLogger({ name, level, secrets }: LoggerOptions): Logger {
  const logger = pino({
    name,
    level,
    redact: HEADERS,
    serializers: { err: describeError, ...ID_SERIALIZERS },
    hooks: {
      streamWrite: strikeOut(secrets),
      logMethod(args, method, lineLevel) {
        const failure = FAILURE_LEVELS.has(lineLevel) ? readFailure(args) : undefined;
        if (!failure || isOfOne(this.bindings())) return method.apply(this, args);
        failed(failure.fields, failure.text, (fields, text) => method.call(this, fields, text));
      },
    },
  });
  const failed = quietRepeats((fields, text) => logger.info(fields, text));
  return logger;
}

/** Warnings and errors. */
const FAILURE_LEVELS = new Set([40, 50]);

/** What is logged for one request or one job is for whoever looks into that one, and is always written. */
function isOfOne(bindings: Bindings): boolean {
  return 'requestId' in bindings || 'jobId' in bindings;
}

function readFailure([fields, text]: unknown[]) {
  if (typeof text !== 'string' || typeof fields !== 'object' || fields === null) return undefined;
  return 'err' in fields ? { fields: fields as Record<string, unknown> & { err: unknown }, text } : undefined;
}
