import type { Answer, NoAnswer } from '../judge/answer.ts';
import type { Violation } from '../judge/judge.ts';
import type { FuzzRequest } from '../request/fuzz-request.ts';
import { curlOf } from './curl.ts';
import type { FoundViolation } from './run-report.ts';
import { withoutSecrets } from './without-secrets.ts';

const MAX_ANSWER = 1_500;

/** Gathers violations by kind, so that one fault that is met a thousand times is told once. */
export interface Violations {
  add(violation: Violation, request: FuzzRequest, answer: Answer | NoAnswer): void;
  all(): FoundViolation[];
}

/** `log` is what the server at `url` has written, and goes on writing. */
export function createViolations(url: string, log: readonly string[]): Violations {
  const byKind = new Map<string, Omit<FoundViolation, 'log'> & { requestId: string | undefined }>();
  return {
    add(violation, request, answer) {
      const kind = `${request.madeFor} ${violation.rule} ${kindOf(violation.detail)}`;
      const known = byKind.get(kind);
      if (known) known.count += 1;
      else byKind.set(kind, describe(violation, request, answer, url));
    },
    // A line may come after its answer, so the log is read at the end.
    all: () =>
      [...byKind.values()].map(({ requestId, ...violation }) => ({
        ...violation,
        log:
          requestId === undefined ? [] : log.filter((line) => line.includes(requestId)).map(withoutSecrets),
      })),
  };
}

/** What differs from one request to the next says nothing about the kind. */
function kindOf(detail: string): string {
  return detail.replace(/"[^"]*"|\d{4,}|[a-z]{3}_[0-9a-z]{26}|\/\d+/g, '…').slice(0, 120);
}

function describe(
  violation: Violation,
  request: FuzzRequest,
  answer: Answer | NoAnswer,
  url: string,
): Omit<FoundViolation, 'log'> & { requestId: string | undefined } {
  return {
    ...violation,
    operation: request.madeFor,
    count: 1,
    number: request.number,
    twists: request.twists,
    curl: withoutSecrets(curlOf(request, url)),
    answer: withoutSecrets(wordsOf(answer)),
    requestId: 'error' in answer ? undefined : answer.headers['x-request-id'],
  };
}

function wordsOf(answer: Answer | NoAnswer): string {
  if ('error' in answer) return `no answer: ${answer.error}`;
  const headers = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`);
  const text = answer.text.length > MAX_ANSWER ? `${answer.text.slice(0, MAX_ANSWER)}…` : answer.text;
  return [`${answer.status} after ${Math.round(answer.ms)} ms`, ...headers, '', text].join('\n');
}
