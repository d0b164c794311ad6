import type { ApiDocument, Operation } from './document/api-document.ts';
import { findOperation } from './document/find-operation.ts';
import type { Ask } from './feed.ts';
import type { Memory } from './generate/known.ts';
import type { Answer, NoAnswer } from './judge/answer.ts';
import { collectionOf } from './request/draft.ts';
import type { KeyName } from './request/fuzz-request.ts';
import type { Sender } from './send.ts';

/** Makes what sends one good request, and learns from its answer. */
export function createAsk(sender: Sender, document: ApiDocument, memoryOf: (key: KeyName) => Memory): Ask {
  return async ({ method, target, body, waits, key }) => {
    const answer = await sender.send({
      method,
      target,
      headers: [
        ...(waits ? [['Prefer', 'wait=1'] as const] : []),
        ...(body ? [['Content-Type', 'application/json'] as const] : []),
      ],
      body: body && Buffer.from(JSON.stringify(body)),
      key,
    });
    if ('error' in answer || answer.status >= 400)
      throw new Error(`${method} ${target}: ${JSON.stringify(answer)}`);
    const found = findOperation(document, method, target);
    if (found.kind === 'operation') learnFrom(memoryOf(key), found.operation, answer);
    return answer;
  };
}

/** Remembers the ids that an answer tells of. */
export function learnFrom(memory: Memory, operation: Operation, answer: Answer | NoAnswer): void {
  if ('error' in answer) return;
  const { etag } = answer.headers;
  if (etag !== undefined) memory.learnValue('etag', etag);
  if (!/json/.test(answer.headers['content-type'] ?? '') || operation.path === '/openapi.json') return;
  try {
    memory.learn(collectionOf(operation), JSON.parse(answer.text));
  } catch {
    // What is no JSON is for the judge to tell.
  }
}
