import type { DocumentedOperation } from './write-reference.ts';

/** The variables that stand for ids in the examples, by the path that they follow. */
const VARIABLES: [path: string, variable: string][] = [
  ['/v1/jobs/', 'JOB'],
  ['/v1/dead-letters/', 'DEAD_LETTER'],
  ['/v1/bulk-replays/', 'BULK_REPLAY'],
  ['/v1/api-keys/', 'API_KEY_ID'],
  ['/v1/queues/', 'QUEUE'],
  ['/v1/job-types/', 'JOB_TYPE'],
  ['/v1/tenants/', 'TENANT'],
  ['/problems/', 'CODE'],
];

/** Writes a command that calls the operation; ids are variables of the shell. */
export function curlOf(method: string, path: string, operation: DocumentedOperation): string {
  const url = `http://localhost:3000${withVariables(path)}`;
  const verb = method === 'get' ? '' : ` -X ${method.toUpperCase()}`;
  const key = operation.security?.length ? [`-H "Authorization: Bearer $KEY"`] : [];
  const example = exampleOf(operation);
  const body =
    example === undefined ? [] : [`-H 'Content-Type: application/json'`, `-d '${JSON.stringify(example)}'`];
  return [`curl -i${verb} "${url}"`, ...key, ...body].join(' \\\n  ');
}

function withVariables(path: string): string {
  return path.replace(/\{\w+\}/g, () => {
    const variable = VARIABLES.find(([prefix]) => path.startsWith(prefix))?.[1];
    if (!variable) throw new Error(`Say in VARIABLES what the id of ${path} is called.`);
    return `$${variable}`;
  });
}

function exampleOf({ requestBody }: DocumentedOperation): unknown {
  return requestBody?.content['application/json']?.example;
}
