import { unknownOptionFaults } from './unknown-options.ts';

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
  const { type, payload, result, timeoutMs, retry, concurrency, isolate, run } = options;
  const faults = [
    ...unknownOptionFaults('', options),
    ...nameFaults(options),
    ...schemaFaults('payload', payload),
    ...(result === undefined ? [] : schemaFaults('result', result)),
    ...numberFaults('timeoutMs', timeoutMs, 1, MAX_MS),
    ...retryFaults(retry),
    ...concurrencyFaults(concurrency),
    ...unless(['undefined', 'boolean'].includes(typeof isolate), 'isolate must be true or false'),
    ...unless(typeof run === 'function', 'run must be a function'),
  ];
  if (faults.length === 0) return;
  throw new TypeError(`The job ${JSON.stringify(type) ?? ''} is not defined well: ${faults.join('; ')}.`);
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
  const { validate, jsonSchema }: Record<string, unknown> = isRecord(standard) ? standard : {};
  if (typeof validate !== 'function') return [`${name} must be a Standard Schema, such as a zod 4 schema`];
  return unless(
    isRecord(jsonSchema),
    `${name} must give JSON Schema (Standard JSON Schema 1.1; zod ≥ 4.2 does)`,
  );
}

function retryFaults(retry: unknown): string[] {
  if (retry === undefined) return [];
  if (!isRecord(retry)) return ['retry must be an object'];
  const { maxAttempts, backoff } = retry;
  return [
    ...unknownOptionFaults('retry', retry),
    ...numberFaults('retry.maxAttempts', maxAttempts, 1, 1_000),
    ...backoffFaults(backoff),
  ];
}

/** What a backoff leaves out is filled in by the worker, as in a request; nobody can guess the waits of the other types. */
function backoffFaults(backoff: unknown): string[] {
  if (backoff === undefined) return [];
  if (!isRecord(backoff)) return ['retry.backoff must be an object'];
  const { type, delayMs, maxMs, delaysMs, jitter = 'full' } = backoff;
  const faults = [
    ...unknownOptionFaults('retry.backoff', backoff),
    ...unless(JITTERS.includes(String(jitter)), `retry.backoff.jitter must be one of ${JITTERS.join(', ')}`),
  ];
  const wait = (name: string, value: unknown) => numberFaults(`retry.backoff.${name}`, value, 0, MAX_MS);
  if (type === 'exponential') return [...faults, ...wait('delayMs', delayMs), ...wait('maxMs', maxMs)];
  if (type === 'fixed') return [...faults, ...wait('delayMs', delayMs ?? null)];
  if (type !== 'schedule') return [...faults, 'retry.backoff.type must be exponential, fixed or schedule'];
  if (!Array.isArray(delaysMs) || delaysMs.length === 0)
    return [...faults, 'retry.backoff.delaysMs must list a wait'];
  return [...faults, ...delaysMs.flatMap((delay, i) => wait(`delaysMs[${i}]`, delay ?? null))];
}

function concurrencyFaults(concurrency: unknown): string[] {
  if (concurrency === undefined) return [];
  if (!isRecord(concurrency)) return ['concurrency must be an object'];
  const { limit = null, key } = concurrency;
  return [
    ...unknownOptionFaults('concurrency', concurrency),
    ...numberFaults('concurrency.limit', limit, 1, 1_000_000),
    ...unless(['undefined', 'function'].includes(typeof key), 'concurrency.key must be a function'),
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
