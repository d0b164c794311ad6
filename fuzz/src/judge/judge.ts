import type { ApiDocument, Operation, Response } from '../document/api-document.ts';
import { type Found, findOperation } from '../document/find-operation.ts';
import type { FuzzRequest } from '../request/fuzz-request.ts';
import type { Answer, NoAnswer } from './answer.ts';
import { createSchemaChecks, type FindFault } from './schema-checks.ts';

/** One way in which an answer breaks what is promised. */
export interface Violation {
  rule:
    | 'no answer'
    | 'slow'
    | 'server error'
    | 'status'
    | 'content type'
    | 'body'
    | 'header'
    | 'problem'
    | 'expected';
  detail: string;
}

export type Judge = (request: FuzzRequest, answer: Answer | NoAnswer) => Violation[];

const SLOW_MS = 5_000;
const PROBLEM_TYPE = 'application/problem+json';

/** Makes the judge of answers: what is documented for the operation that a request went to, and what holds for all. */
export function createJudge(document: ApiDocument): Judge {
  const findFault = createSchemaChecks(document.schemas);
  const findHeaderFault = createSchemaChecks(document.schemas, { isText: true });

  return (request, answer) => {
    if ('error' in answer) return [{ rule: 'no answer', detail: answer.error }];
    const found = findOperation(document, request.method, request.target);
    return [
      ...speedOf(answer),
      ...serverErrorOf(answer),
      ...expectationOf(request, answer),
      ...(answer.status >= 400 ? problemOf(answer, request) : []),
      ...(found.kind === 'operation'
        ? byOperation(found.operation, request, answer, { findFault, findHeaderFault })
        : withoutOperation(found, answer)),
    ];
  };
}

function speedOf({ ms }: Answer): Violation[] {
  return ms > SLOW_MS ? [{ rule: 'slow', detail: `It took ${Math.round(ms)} ms; ${SLOW_MS} may be.` }] : [];
}

/** 503 says that nothing was promised, and may be documented; whatever else a server is to blame for must not be. */
function serverErrorOf({ status }: Answer): Violation[] {
  return status >= 500 && status !== 503
    ? [{ rule: 'server error', detail: `${status} is never right.` }]
    : [];
}

function expectationOf({ expected, twists }: FuzzRequest, { status }: Answer): Violation[] {
  if (expected === 'anything') return [];
  const isMet = expected === 'refused' ? status >= 400 && status < 500 : expected.includes(status);
  // Too much to do is a reason for any request.
  if (isMet || status === 503) return [];
  const wanted = expected === 'refused' ? 'a status from 400 to 499' : expected.join(' or ');
  return [
    {
      rule: 'expected',
      detail: `${twists.join(', ') || 'A body against its schema'}: ${wanted} was expected, and ${status} came.`,
    },
  ];
}

/** RFC 9457, and what clients act on: `code`. */
function problemOf({ status, headers, text }: Answer, { method }: FuzzRequest): Violation[] {
  if (method === 'HEAD') return [];
  if (mediaTypeOf(headers) !== PROBLEM_TYPE)
    return [
      {
        rule: 'problem',
        detail: `${status} has the type ${headers['content-type'] ?? 'none'}, not ${PROBLEM_TYPE}.`,
      },
    ];
  const problem = parse(text) as Record<string, unknown> | undefined;
  const missing = ['type', 'title', 'status', 'code'].filter((member) => problem?.[member] === undefined);
  if (missing.length > 0) return [{ rule: 'problem', detail: `The problem lacks ${missing.join(', ')}.` }];
  if (problem?.status === status) return [];
  return [{ rule: 'problem', detail: `The problem says ${problem?.status}, the answer ${status}.` }];
}

interface Checks {
  findFault: FindFault;
  findHeaderFault: FindFault;
}

function byOperation(
  { id, responses }: Operation,
  { method }: FuzzRequest,
  answer: Answer,
  checks: Checks,
): Violation[] {
  const response =
    responses[answer.status] ?? responses[`${Math.floor(answer.status / 100)}XX`] ?? responses.default;
  if (!response) {
    const known = Object.keys(responses).join(', ');
    return [{ rule: 'status', detail: `${answer.status} is not documented for ${id}; ${known} are.` }];
  }
  const isWithoutBody = method === 'HEAD';
  return [
    ...(isWithoutBody ? emptyBodyOf(answer) : bodyOf(response, answer, checks)),
    ...headersOf(response, answer, checks),
    ...(isWithoutBody ? [] : codeOf(response, answer)),
  ];
}

function bodyOf({ content }: Response, answer: Answer, { findFault }: Checks): Violation[] {
  if (!content) return emptyBodyOf(answer);
  const type = mediaTypeOf(answer.headers);
  const schema = type === undefined ? undefined : content[type];
  if (schema === undefined) {
    const known = Object.keys(content).join(', ');
    return [
      {
        rule: 'content type',
        detail: `${answer.status} has the type ${type ?? 'none'}; ${known} is documented.`,
      },
    ];
  }
  if (!type?.endsWith('json')) return [];
  const value = parse(answer.text);
  if (value === undefined) return [{ rule: 'body', detail: 'The body is not JSON.' }];
  const fault = findFault(schema, value);
  return fault === undefined ? [] : [{ rule: 'body', detail: `${answer.status}: ${fault}` }];
}

function emptyBodyOf({ status, text }: Answer): Violation[] {
  return text === '' ? [] : [{ rule: 'body', detail: `${status} has a body, and none is documented.` }];
}

function headersOf(response: Response, answer: Answer, { findHeaderFault }: Checks): Violation[] {
  return Object.entries(response.headers).flatMap(([name, { required, schema }]): Violation[] => {
    const value = answer.headers[name.toLowerCase()];
    if (value === undefined)
      return required ? [{ rule: 'header', detail: `${answer.status} lacks ${name}.` }] : [];
    const fault = findHeaderFault(schema, value);
    return fault === undefined ? [] : [{ rule: 'header', detail: `${answer.status}, ${name}: ${fault}` }];
  });
}

/** The document names the codes of a status in the words for it. */
function codeOf({ description }: Response, { status, text }: Answer): Violation[] {
  if (status < 400) return [];
  const { code } = (parse(text) ?? {}) as { code?: unknown };
  if (code === undefined || description.includes(`\`${code}\``)) return [];
  return [{ rule: 'problem', detail: `The code ${code} is not documented for ${status}: ${description}` }];
}

/** What is said of a request before anybody has looked for what it is about. */
const BEFORE_LOOKING = [400, 401, 403, 417, 431];

/** What the document does not have is told so, or refused before anybody looked for it. */
function withoutOperation(found: Exclude<Found, { kind: 'operation' }>, answer: Answer): Violation[] {
  const { status, headers } = answer;
  if (status !== (found.kind === 'noPath' ? 404 : 405)) {
    if (BEFORE_LOOKING.includes(status)) return [];
    return [{ rule: 'status', detail: `${status} came of what the document does not have.` }];
  }
  if (found.kind === 'noPath') return [];
  const allowed = (headers.allow ?? '').split(/\s*,\s*/);
  const missing = found.methods.filter((method) => !allowed.includes(method));
  if (missing.length === 0) return [];
  return [{ rule: 'header', detail: `Allow is "${headers.allow ?? ''}", without ${missing.join(', ')}.` }];
}

function mediaTypeOf(headers: Answer['headers']): string | undefined {
  return headers['content-type']?.split(';')[0]?.trim().toLowerCase();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
