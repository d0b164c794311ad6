import type { ApiDocument, Operation } from './api-document.ts';

/** What the document has where a request went. */
export type Found =
  | { kind: 'operation'; operation: Operation }
  /** There is the path, and it has no such method. */
  | { kind: 'noMethod'; methods: string[] }
  | { kind: 'noPath' };

/** Finds the operation that a request is for; `target` is a path that may have a query. A path of its own comes before one with parameters. */
export function findOperation({ operations }: ApiDocument, method: string, target: string): Found {
  const [path = ''] = target.split('?');
  const here = operations.filter((operation) => matches(operation.path, path)).sort(byParameters);
  // RFC 9110, section 9.3.2: HEAD is GET without a body.
  const wanted = method === 'HEAD' ? 'GET' : method;
  const operation = here.find((one) => one.method === wanted);
  if (operation) return { kind: 'operation', operation };
  if (here.length === 0) return { kind: 'noPath' };
  return { kind: 'noMethod', methods: [...new Set(here.map((one) => one.method))] };
}

const byParameters = (one: Operation, other: Operation) =>
  one.path.split('{').length - other.path.split('{').length;

function matches(template: string, path: string): boolean {
  const [wanted, given] = [template.split('/'), path.split('/')];
  if (wanted.length !== given.length) return false;
  // An empty segment stands for a parameter too: nothing says that a router must not take it for one.
  return wanted.every((segment, index) => segment.startsWith('{') || segment === given[index]);
}
