import { PROBLEMS, type ProblemCode } from '@accepted/shared/contract/problems';
import type { Scope } from '@accepted/shared/ledger/tenants/api-keys';
import { type TSchema, Type } from 'typebox';
import {
  always,
  describeHeaders,
  type HeaderTexts,
  JOB_HEADERS,
  RATE_HEADERS,
  REPLAYED_HEADERS,
} from './response-headers.ts';

/** Describes one answer of a route; without a schema it has no body, or one of `mediaType` that is not JSON. */
export interface Answer {
  description: string;
  schema?: TSchema;
  mediaType?: string;
  /** Another media type in which it comes to those that prefer it. */
  alternative?: string;
  headers?: HeaderTexts;
}

/** What every route can answer. */
const OPEN_PROBLEMS: ProblemCode[] = [
  'invalid_parameter',
  'malformed_request',
  'request_timeout',
  'headers_too_large',
  'expectation_failed',
  'too_many_connections',
  'internal_error',
];

/** What every route that needs a key can answer. */
const COMMON_PROBLEMS: ProblemCode[] = [
  'unauthenticated',
  'missing_scope',
  'database_unavailable',
  'overloaded',
  'schema_mismatch',
];

/** What can be wrong with the body of any request whose method may have one, wanted or not: it is read before the route is asked. */
export const BODY_PROBLEMS: ProblemCode[] = [
  'malformed_json',
  'body_too_large',
  'unsupported_media_type',
  'validation_failed',
];

const TRY_AGAIN = { 'Retry-After': 'Seconds after which to try again.' };

/** What the answers to some problems carry. */
const PROBLEM_HEADERS: Partial<Record<ProblemCode, Record<string, string>>> = {
  unauthenticated: { 'WWW-Authenticate': 'How to authenticate (RFC 6750).' },
  missing_scope: { 'WWW-Authenticate': 'Which scope is missing (RFC 6750).' },
  job_not_finished: { 'Retry-After': 'Seconds after which it pays to look again.' },
  database_unavailable: TRY_AGAIN,
  idempotency_key_in_use: TRY_AGAIN,
  overloaded: TRY_AGAIN,
  queue_backlog_full: TRY_AGAIN,
  deadline_unreachable: TRY_AGAIN,
  dependency_slow: TRY_AGAIN,
  quota_exceeded: TRY_AGAIN,
  rate_limited: TRY_AGAIN,
  tenant_backlog_full: TRY_AGAIN,
  schema_mismatch: TRY_AGAIN,
  not_ready: TRY_AGAIN,
};

/** Adds to a route's schema the scope that it needs: in its options for the guard, and in OpenAPI for readers. */
export function needsScope<Schema extends object>(scope: Scope, schema: Schema) {
  return { schema: { ...schema, security: [{ apiKey: [scope] }] }, config: { scope } };
}

/** Adds two scopes of which a key needs one. The route tells by the caller what to show. */
export function needsEitherScope<Schema extends object>(scope: Scope, orScope: Scope, schema: Schema) {
  const security = [{ apiKey: [scope] }, { apiKey: [orScope] }];
  return { schema: { ...schema, security }, config: { scope, orScope } };
}

/** Describes every answer of a route that needs a key: its own, its problems, and those that any route can have. */
export function answers(own: Record<number, Answer>, problems: ProblemCode[]): Record<string, object> {
  return describeAnswers(own, [...problems, ...COMMON_PROBLEMS], RATE_HEADERS);
}

/** Describes every answer of a route that acts once for an `Idempotency-Key`; the route has `KeyHeader` as well. */
export function answersOnce(own: Record<number, Answer>, problems: ProblemCode[]): Record<string, object> {
  const told = Object.entries(own).map(([status, answer]) => [
    status,
    { ...answer, headers: { ...answer.headers, ...REPLAYED_HEADERS } },
  ]);
  return answers(Object.fromEntries(told), [...problems, 'idempotency_key_reused', 'idempotency_key_in_use']);
}

/** Describes every answer of a route that anybody may call. */
export function openAnswers(own: Record<number, Answer>, problems: ProblemCode[]): Record<string, object> {
  return describeAnswers(own, problems, {});
}

/** `more` are headers that all of them may have. */
function describeAnswers(
  own: Record<number, Answer>,
  problems: ProblemCode[],
  more: HeaderTexts,
): Record<string, object> {
  const described = Object.entries(own).map(([status, answer]) => [status, describeAnswer(answer, more)]);
  return { ...describeProblems([...problems, ...OPEN_PROBLEMS], more), ...Object.fromEntries(described) };
}

function describeAnswer(answer: Answer, more: HeaderTexts): object {
  const { description, schema, mediaType = 'application/json', alternative, headers } = answer;
  const isJob = (schema as { $ref?: string } | undefined)?.$ref === 'Job';
  const text = { schema: Type.String({ description }) };
  const body = mediaType === 'application/json' ? schema && { schema } : text;
  const content = { ...(body && { [mediaType]: body }), ...(alternative && { [alternative]: text }) };
  return {
    description,
    headers: describeHeaders({ ...more, ...(isJob && JOB_HEADERS), ...headers }),
    ...(body ? { content } : { type: 'null' }),
  };
}

function describeProblems(codes: ProblemCode[], more: HeaderTexts): Record<string, object> {
  const byStatus = Map.groupBy(new Set(codes), (code) => PROBLEMS[code].status);
  const content = { 'application/problem+json': { schema: Type.Ref('Problem') } };
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '),
        headers: describeHeaders({ ...more, ...headersOf(group) }),
        content,
      },
    ]),
  );
}

/** What all problems of a status carry is always there. */
function headersOf(codes: ProblemCode[]): HeaderTexts {
  const all = codes.map((code) => PROBLEM_HEADERS[code] ?? {});
  const texts = Object.entries(Object.assign({}, ...all) as Record<string, string>);
  const isEverywhere = (name: string) => all.every((headers) => Object.hasOwn(headers, name));
  return Object.fromEntries(texts.map(([name, text]) => [name, isEverywhere(name) ? always(text) : text]));
}
