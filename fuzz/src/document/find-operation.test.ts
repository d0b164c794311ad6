import { expect, test } from 'vitest';
import { readDocument } from './api-document.ts';
import { findOperation } from './find-operation.ts';

const operation = (operationId: string) => ({ operationId, responses: {} });
const document = readDocument({
  paths: {
    '/letters/{id}': { delete: operation('discard'), get: operation('get') },
    '/letters/groups': { get: operation('groups') },
  },
  components: { parameters: {}, schemas: {} },
});

test.each([
  ['GET', '/letters/a?b=/c', 'get'],
  ['HEAD', '/letters/a', 'get'],
  ['GET', '/letters/groups', 'groups'],
  ['DELETE', '/letters/groups', 'discard'],
  ['PUT', '/letters/groups', ['GET', 'DELETE']],
  ['GET', '/letters/', 'get'],
  ['GET', '/letters/a/b', 'nothing'],
])('%s %s is %j', (method, target, expected) => {
  const found = findOperation(document, method, target);
  if (found.kind === 'operation') expect(found.operation.id).toBe(expected);
  else expect(found.kind === 'noMethod' ? found.methods : 'nothing').toEqual(expected);
});
