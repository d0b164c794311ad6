import type { Scope } from '@accepted/shared/database/api-keys';
import { PROBLEMS, type ProblemCode } from '@accepted/shared/errors/problems';
import { type TSchema, Type } from 'typebox';

/** Describes one answer of a route; without a schema it has no body. */
export interface Answer {
  description: string;
  schema?: TSchema;
  headers?: Record<string, string>;
}

/** What every route that needs a key can answer. */
const COMMON_PROBLEMS: ProblemCode[] = [
  'malformed_request',
  'invalid_parameter',
  'unauthenticated',
  'missing_scope',
  'internal_error',
  'database_unavailable',
  'schema_mismatch',
];

/** Adds to a route's schema the scope that it needs: in its options for the guard, and in OpenAPI for readers. */
export function needsScope<Schema extends object>(scope: Scope, schema: Schema) {
  return { schema: { ...schema, security: [{ apiKey: [scope] }] }, config: { scope } };
}

/** Describes every answer of a route that needs a key: its own, its problems, and those that any route can have. */
export function answers(own: Record<number, Answer>, problems: ProblemCode[]): Record<string, object> {
  return openAnswers(own, [...problems, ...COMMON_PROBLEMS]);
}

/** Describes every answer of a route that anybody may call. */
export function openAnswers(own: Record<number, Answer>, problems: ProblemCode[]): Record<string, object> {
  const described = Object.entries(own).map(([status, answer]) => [status, describeAnswer(answer)]);
  return { ...describeProblems(problems), ...Object.fromEntries(described) };
}

function describeAnswer({ description, schema, headers = {} }: Answer): object {
  const described = Object.entries(headers).map(([name, text]) => [
    name,
    { type: 'string', description: text },
  ]);
  return {
    description,
    ...(described.length > 0 && { headers: Object.fromEntries(described) }),
    ...(schema ? { content: { 'application/json': { schema } } } : { type: 'null' }),
  };
}

function describeProblems(codes: ProblemCode[]): Record<string, object> {
  const byStatus = Map.groupBy(new Set(codes), (code) => PROBLEMS[code].status);
  const content = { 'application/problem+json': { schema: Type.Ref('Problem') } };
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      { description: group.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '), content },
    ]),
  );
}
