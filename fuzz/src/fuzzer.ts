import { createAsk, learnFrom } from './ask.ts';
import type { ApiDocument, Operation } from './document/api-document.ts';
import { findOperation } from './document/find-operation.ts';
import { feed } from './feed.ts';
import { createDraw } from './generate/draw.ts';
import { createMemory } from './generate/known.ts';
import { createBodyCheck } from './judge/breaks-body.ts';
import { createCoverage } from './judge/coverage.ts';
import { createJudge } from './judge/judge.ts';
import { createSchemaChecks } from './judge/schema-checks.ts';
import type { Planned } from './plan.ts';
import type { RunReport } from './report/run-report.ts';
import { createViolations } from './report/violations.ts';
import type { FuzzRequest, KeyName } from './request/fuzz-request.ts';
import { makeRequest } from './request/make-request.ts';
import { createSender } from './send.ts';
import { idsOfKeys } from './world/keys.ts';
import type { World } from './world/world.ts';

/** Makes requests, sends them, judges the answers and learns from them. */
export interface Fuzzer {
  send(planned: Planned): Promise<void>;
  /** Makes things that requests can be about. */
  feed(): Promise<void>;
  /** Operations that were never answered with a 2xx. */
  unreached(): Operation[];
  results(): Pick<RunReport, 'requests' | 'operations' | 'violations' | 'without'>;
  close(): void;
}

export interface FuzzerOptions {
  document: ApiDocument;
  operations: readonly Operation[];
  seed: number;
  connections: number;
}

/** One request in so many is sent twice at once. */
const TWICE_EVERY = 10;

export function startFuzzer(
  { url, port, keys, otherTenant, receiverUrl, api }: World,
  { document, operations, seed, connections }: FuzzerOptions,
): Fuzzer {
  const sender = createSender(port, keys, connections);
  const judge = createJudge(document);
  const breaksBody = createBodyCheck(createSchemaChecks(document.schemas));
  const coverage = createCoverage(operations);
  const violations = createViolations(url, api.lines);
  const ours = idsOfKeys(keys);
  // An operator is told of others' things as well.
  const known = createMemory(new Set([...ours, otherTenant]));
  const foreign = createMemory(ours);
  const now = new Date();
  let requests = 0;

  function make({ operation, number }: Planned): FuzzRequest {
    const draw = createDraw(`${seed} ${operation.id} ${number}`);
    const context = { draw, document, schemas: document.schemas, known, foreign, receiverUrl, now };
    return makeRequest(context, { operation, number, breaksBody });
  }

  async function send(planned: Planned): Promise<void> {
    const request = make(planned);
    // What comes again must not be done twice, nor harm itself.
    const times = planned.number % TWICE_EVERY === 0 ? 2 : 1;
    await Promise.all(Array.from({ length: times }, () => sendOnce(request)));
  }

  async function sendOnce(request: FuzzRequest): Promise<void> {
    const answer = await sender.send(request);
    requests += 1;
    for (const violation of judge(request, answer)) violations.add(violation, request, answer);
    if ('error' in answer) return;
    const found = findOperation(document, request.method, request.target);
    if (found.kind !== 'operation') return;
    if (request.method !== 'HEAD') coverage.count(found.operation.id, answer.status, answer.ms);
    learnFrom(memoryOf(request.key), found.operation, answer);
  }

  const memoryOf = (key: KeyName) => (key === 'other' ? foreign : known);

  const ask = createAsk(sender, document, memoryOf);

  return {
    send,
    feed: () => feed(ask),
    unreached: () => coverage.without(2),
    results: () => ({
      requests,
      operations: coverage.tallies(),
      violations: violations.all(),
      without: {
        '2xx': coverage.without(2).map(({ id }) => id),
        '4xx': coverage.without(4).map(({ id }) => id),
      },
    }),
    close: () => sender.close(),
  };
}
