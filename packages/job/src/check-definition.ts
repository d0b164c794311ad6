const TYPE_NAME = /^[a-z0-9][a-z0-9._-]{0,99}$/;
const QUEUE_NAME = /^[a-z0-9][a-z0-9_-]{0,49}$/;
const JITTERS = ['full', 'equal', 'none'];

/** The longest time a Node timer and an `integer` column hold. */
const MAX_MS = 2 ** 31 - 1;

/**
 * Checks the options of `defineJob`, which plain JavaScript callers can get wrong in any way; throws one TypeError
 * that lists every fault.
 */
export function checkDefinition(options: unknown): void {
  if (!isRecord(options)) throw new TypeError('defineJob takes an object.');
  const faults = [
    ...nameFaults(options),
    ...schemaFaults('payload', options.payload),
    ...(options.result === undefined ? [] : schemaFaults('result', options.result)),
    ...numberFaults('timeoutMs', options.timeoutMs, 1, MAX_MS),
    ...retryFaults(options.retry),
    ...concurrencyFaults(options.concurrency),
    ...unless(['undefined', 'boolean'].includes(typeof options.isolate), 'isolate must be true or false'),
    ...unless(typeof options.run === 'function', 'run must be a function'),
  ];
  if (faults.length === 0) return;
  throw new TypeError(
    `The job ${JSON.stringify(options.type) ?? ''} is not defined well: ${faults.join('; ')}.`,
  );
}

function nameFaults({ type, queue = 'default' }: Record<string, unknown>): string[] {
  return [
    ...unless(typeof type === 'string' && TYPE_NAME.test(type), `type must match ${TYPE_NAME.source}`),
    ...unless(typeof queue === 'string' && QUEUE_NAME.test(queue), `queue must match ${QUEUE_NAME.source}`),
    // Each queue has a companion `<queue>-dead` that holds the mirror of its dead letters.
    ...unless(typeof queue !== 'string' || !queue.endsWith('-dead'), 'queue must not end in -dead'),
  ];
}

function schemaFaults(name: string, schema: unknown): string[] {
  // Some libraries make a schema of a function (ArkType), so both kinds of object count.
  const standard =
    isRecord(schema) || typeof schema === 'function' ? Reflect.get(schema, '~standard') : undefined;
  if (!isRecord(standard) || typeof standard.validate !== 'function') {
    return [`${name} must be a Standard Schema, such as a zod 4 schema`];
  }
  return unless(
    isRecord(standard.jsonSchema),
    `${name} must give JSON Schema (Standard JSON Schema 1.1; zod ≥ 4.2 does)`,
  );
}

function retryFaults(retry: unknown): string[] {
  if (retry === undefined) return [];
  if (!isRecord(retry)) return ['retry must be an object'];
  return [...numberFaults('retry.maxAttempts', retry.maxAttempts, 1, 1_000), ...backoffFaults(retry.backoff)];
}

function backoffFaults(backoff: unknown): string[] {
  if (backoff === undefined) return [];
  if (!isRecord(backoff)) return ['retry.backoff must be an object'];
  const jitter = unless(
    JITTERS.includes(String(backoff.jitter)),
    `retry.backoff.jitter must be one of ${JITTERS.join(', ')}`,
  );
  const wait = (name: string) => numberFaults(`retry.backoff.${name}`, backoff[name] ?? null, 0, MAX_MS);
  if (backoff.type === 'fixed') return [...jitter, ...wait('delayMs')];
  if (backoff.type === 'exponential') return [...jitter, ...wait('delayMs'), ...wait('maxMs')];
  if (backoff.type !== 'schedule') return ['retry.backoff.type must be exponential, fixed or schedule'];
  const { delaysMs } = backoff;
  if (!Array.isArray(delaysMs) || delaysMs.length === 0)
    return [...jitter, 'retry.backoff.delaysMs must list a wait'];
  return [
    ...jitter,
    ...delaysMs.flatMap((delay, i) => numberFaults(`retry.backoff.delaysMs[${i}]`, delay, 0, MAX_MS)),
  ];
}

function concurrencyFaults(concurrency: unknown): string[] {
  if (concurrency === undefined) return [];
  if (!isRecord(concurrency)) return ['concurrency must be an object'];
  return [
    ...numberFaults('concurrency.limit', concurrency.limit ?? null, 1, 1_000_000),
    ...unless(
      ['undefined', 'function'].includes(typeof concurrency.key),
      'concurrency.key must be a function',
    ),
  ];
}

function numberFaults(name: string, value: unknown, least: number, most: number): string[] {
  if (value === undefined) return [];
  const fits = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
  return unless(fits, `${name} must be a whole number from ${least} to ${most}`);
}

function unless(holds: boolean, fault: string): string[] {
  return holds ? [] : [fault];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
