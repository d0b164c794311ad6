import type { JobSchema } from '@accepted/job';
import { completeBackoff, DEFAULT_BACKOFF } from '@accepted/shared/core/job/backoff';
import type { JobTypeDefaults, JobTypeDescription } from '@accepted/shared/core/job/job-type';
import type { LoadedHandler } from './loaded-handler.ts';

const DEFAULT_MAX_ATTEMPTS = 5;
const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * Describes a handler's job type as the catalog shows it: what clients send is the payload before parsing, what they
 * read is the result after it. Throws when a schema cannot be said in JSON Schema.
 */
export function describeJobType({ definition }: LoadedHandler): JobTypeDescription {
  const { type, queue, payload, result, retry, timeoutMs, concurrency } = definition;
  const defaults: JobTypeDefaults = {
    maxAttempts: retry.maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
    backoff: completeBackoff(retry.backoff ?? DEFAULT_BACKOFF),
    timeoutMs: timeoutMs ?? DEFAULT_TIMEOUT_MS,
    ...(concurrency && { concurrency }),
  };
  return {
    type,
    queue,
    payloadSchema: jsonSchema('payload', payload, 'input'),
    ...(result && { resultSchema: jsonSchema('result', result, 'output') }),
    defaults,
  };
}

function jsonSchema(name: string, schema: JobSchema, side: 'input' | 'output'): object {
  try {
    return schema['~standard'].jsonSchema[side]({ target: 'draft-2020-12' });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TypeError(`the ${name} schema cannot be said in JSON Schema: ${why}`, { cause: error });
  }
}
