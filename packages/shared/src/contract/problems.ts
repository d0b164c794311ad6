import type { ProblemDefinition } from './problem-definition.ts';
import { REFUSALS } from './refusals.ts';

/**
 * Registers every code that an answer of the API can carry (RFC 9457). A code is a promise to clients: it may be
 * added, and never changes its meaning.
 */
export const PROBLEMS = {
  malformed_json: {
    status: 400,
    title: 'The body is not valid JSON',
    meaning: 'The request body could not be parsed as JSON in UTF-8. `errors` says at which line and column.',
    remedy: 'Send one valid JSON document, encoded in UTF-8.',
  },
  malformed_request: {
    status: 400,
    title: 'The request is not valid HTTP',
    meaning: 'The request line, the path or a header could not be understood.',
    remedy: 'Check the URL encoding and the headers of the request.',
  },
  invalid_parameter: {
    status: 400,
    title: 'A parameter is not valid',
    meaning:
      'A query parameter, a path parameter or a header has a value that is not allowed, or is unknown.',
    remedy: 'Correct what `errors` lists; its pointers start with `/query`, `/path` or `/headers`.',
  },
  invalid_cursor: {
    status: 400,
    title: 'The cursor is not valid',
    meaning: '`cursor` is not one that this API gave out.',
    remedy: 'Use `nextCursor` of the previous page as it is, or leave `cursor` out to start anew.',
  },
  unauthenticated: {
    status: 401,
    title: 'A valid API key is needed',
    meaning: 'The request carries no API key, or one that is unknown or revoked.',
    remedy: 'Send `Authorization: Bearer <api key>` with a key that is in force.',
  },
  missing_scope: {
    status: 403,
    title: 'The API key lacks a scope',
    meaning: 'The API key is valid, but may not do this. `requiredScope` names what is missing.',
    remedy: 'Use a key with that scope.',
  },
  not_found: {
    status: 404,
    title: 'There is nothing here',
    meaning: 'No route has this path.',
    remedy: 'Compare the path with `/openapi.json`.',
  },
  method_not_allowed: {
    status: 405,
    title: 'This path has no such method',
    meaning:
      'There is something at this path, and the method cannot be used on it. `Allow` names those that can.',
    remedy: 'Use a method that `Allow` names.',
  },
  job_not_found: {
    status: 404,
    title: 'There is no such job',
    meaning: 'No job of your tenant has this id; it may also have passed its retention.',
    remedy: 'Check the id, and that the API key belongs to the tenant that submitted the job.',
  },
  dead_letter_not_found: {
    status: 404,
    title: 'There is no such dead letter',
    meaning:
      'No dead letter of your tenant has this id, or one of these ids; `errors` says which of several. Nothing was done.',
    remedy: 'Take ids from `GET /v1/dead-letters`.',
  },
  bulk_replay_not_found: {
    status: 404,
    title: 'There is no such bulk replay',
    meaning: 'No bulk replay of your tenant has this id.',
    remedy: 'Take the id from the `Location` that the bulk replay was answered with.',
  },
  queue_not_found: {
    status: 404,
    title: 'There is no such queue',
    meaning: 'No worker has ever registered a queue of this name.',
    remedy: 'Take a name from `GET /v1/queues`.',
  },
  job_type_not_found: {
    status: 404,
    title: 'There is no such job type',
    meaning: 'No worker has ever registered a job type of this name.',
    remedy: 'Take a name from `GET /v1/job-types`.',
  },
  tenant_not_found: {
    status: 404,
    title: 'There is no such tenant',
    meaning: 'No tenant of this installation has this id.',
    remedy: 'Take an id from `GET /v1/tenants`.',
  },
  tenant_name_taken: {
    status: 409,
    title: 'There is a tenant of this name',
    meaning: 'Names of tenants are unique, and another one has this. Nothing was made.',
    remedy: 'Choose another name, or use the tenant that `GET /v1/tenants` shows.',
  },
  api_key_not_found: {
    status: 404,
    title: 'There is no such API key',
    meaning: 'No API key of your tenant has this id; with the scope `operator`, none of any tenant.',
    remedy: 'Take an id from `GET /v1/api-keys`.',
  },
  job_not_finished: {
    status: 404,
    title: 'The job has no result yet',
    meaning: 'The job exists and is not finished.',
    remedy: 'Ask again after `Retry-After` seconds, or wait with `Prefer: wait=N` on the job.',
  },
  job_failed: {
    status: 409,
    title: 'The job failed',
    meaning: 'The job used up its attempts or failed for good, so there is no result. `jobError` says why.',
    remedy: 'Read the job and its attempts; after the cause is mended, replay its dead letter.',
  },
  job_canceled: {
    status: 409,
    title: 'The job was canceled',
    meaning: 'Somebody canceled the job before it had a result.',
    remedy: 'Submit it again if it is still wanted.',
  },
  job_expired: {
    status: 409,
    title: 'The job expired',
    meaning: 'The job was not started before its `ttlMs` ran out.',
    remedy: 'Submit it again with a longer `ttlMs`, or add workers.',
  },
  job_already_finished: {
    status: 409,
    title: 'The job is already finished',
    meaning: 'A finished job can be neither canceled nor rescheduled. `jobStatus` says how it ended.',
    remedy: 'Nothing is to be done to cancel it. To run it again, copy it, or replay its dead letter.',
  },
  job_running: {
    status: 409,
    title: 'The job is running',
    meaning: 'A job that a worker runs cannot be given another time to start at.',
    remedy: 'Wait for it to end, or cancel it and copy it with another time.',
  },
  dead_letter_already_resolved: {
    status: 409,
    title: 'The dead letter is already resolved',
    meaning: 'Somebody replayed or discarded the dead letter before; `resolution` says which.',
    remedy: 'Read the dead letter to see who did it and why. If the job died again it has a new one.',
  },
  dead_letter_without_job: {
    status: 409,
    title: 'The dead letter has no failed job',
    meaning: 'The job of the dead letter is gone, as after its retention, so it cannot be replayed.',
    remedy: 'Submit a new job, or discard the dead letter.',
  },
  bulk_replay_already_ended: {
    status: 409,
    title: 'The bulk replay has already ended',
    meaning:
      'A bulk replay that is completed, stopped or canceled cannot be canceled. `replayStatus` says which.',
    remedy: 'Nothing is to be done.',
  },
  last_admin_key: {
    status: 409,
    title: 'This is the last key that can manage keys',
    meaning: 'The key is the only one of your tenant in force with the scope `admin`, so it stays in force.',
    remedy: 'Create another key with the scope `admin` first, and revoke this one with it.',
  },
  idempotency_key_in_use: {
    status: 409,
    title: 'Another request with the idempotency key is under way',
    meaning:
      'A request with this `Idempotency-Key` is being worked on and was not done within two seconds. This one did nothing.',
    remedy: 'Send the very same request again after `Retry-After` seconds.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    meaning: 'The request body is larger than this server takes (`MAX_BODY_BYTES`).',
    remedy: 'Put large data elsewhere and send a reference to it.',
  },
  headers_too_large: {
    status: 431,
    title: 'The headers are too large',
    meaning: 'The request line and headers are larger than this server takes.',
    remedy: 'Send shorter headers or a shorter URL.',
  },
  request_timeout: {
    status: 408,
    title: 'The request took too long to arrive',
    meaning: 'The headers or the body did not arrive in full in time, so the connection was closed.',
    remedy: 'Send the request again, in one go.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The body must be application/json',
    meaning:
      'The request has another `Content-Type` than `application/json`, a `charset` other than UTF-8, or a `Content-Encoding`.',
    remedy: 'Send `Content-Type: application/json` and an uncompressed body in UTF-8.',
  },
  expectation_failed: {
    status: 417,
    title: 'The expectation cannot be met',
    meaning: 'The request has an `Expect` other than `100-continue`.',
    remedy: 'Send the request without it.',
  },
  too_many_connections: {
    status: 429,
    title: 'Too many connections from one address',
    meaning:
      'The address that this connection comes from has as many open as it may (`MAX_CONNECTIONS_PER_ADDRESS`), so this one was closed.',
    remedy: 'Use connections again instead of opening more, or close some.',
  },
  validation_failed: {
    status: 422,
    title: 'The body is not valid',
    meaning: 'The body is JSON but breaks the rules of this route or the payload schema of the job type.',
    remedy:
      'Correct everything that `errors` lists; each entry has a JSON Pointer (RFC 6901) into the body. Of a body with more than 500 values only the first fault is looked for.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'The idempotency key was used for another request',
    meaning:
      'A request with this `Idempotency-Key` but another body, or for another thing, was accepted before.',
    remedy: 'Use a new key for a new request, and the old key only to send the very same request again.',
  },
  ...REFUSALS,
  internal_error: {
    status: 500,
    title: 'Something went wrong on our side',
    meaning: 'The server met a fault of its own. A job may or may not have been accepted.',
    remedy: 'Send the request again with the same `Idempotency-Key`. Give `requestId` when you report it.',
  },
  database_unavailable: {
    status: 503,
    title: 'The database does not answer',
    meaning:
      'The ledger could not be reached in time, so nothing was promised. A job may still have been written.',
    remedy: 'Send the request again after `Retry-After` seconds with the same `Idempotency-Key`.',
  },
  schema_mismatch: {
    status: 503,
    title: 'This server and the ledger do not fit together',
    meaning:
      'The ledger has a schema that this version of the server cannot use; `detail` says which. Nothing was promised.',
    remedy:
      'Send the request again after `Retry-After` seconds. Operators: run the migration, or replace this server by the version that the ledger was migrated for.',
  },
  not_ready: {
    status: 503,
    title: 'This server is not ready',
    meaning: 'The server is starting or shutting down.',
    remedy: 'Let the load balancer choose another server, or try again after `Retry-After` seconds.',
  },
} as const satisfies Record<string, ProblemDefinition>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Tells whether `code` is a registered one. */
export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}

/** Makes the URL that documents a code; it is the `type` of the problem. */
export function problemUrl(publicUrl: string, code: ProblemCode): string {
  return `${publicUrl}/problems/${code}`;
}
