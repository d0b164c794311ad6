import type { CatalogSnapshot } from '../catalog/catalog.ts';
import { createComponentNames } from './component-names.ts';
import { nameSchemas } from './named-schemas.ts';
import { describeSubmissions } from './submissions.ts';

type Members = Record<string, unknown>;

interface Operation {
  parameters?: object[];
  requestBody?: { required?: boolean; content: Record<string, { schema: object }> };
  responses?: Record<string, ResponseObject>;
  [member: string]: unknown;
}

interface ResponseObject {
  headers?: Record<string, { schema: Members; [member: string]: unknown }>;
  [member: string]: unknown;
}

/** An OpenAPI 3.1 document, as far as this code looks at one. */
export interface ApiDocument {
  info: Members;
  servers: { url: string; description?: string }[];
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  webhooks: Record<string, Record<string, Operation>>;
  components: { schemas: Members; [kind: string]: Members };
  [member: string]: unknown;
}

const REQUEST_ID = {
  name: 'X-Request-Id',
  in: 'header',
  required: false,
  description:
    'An id of yours for this request, kept with what it makes and in logs; 1 to 128 letters, digits and `._:/+=-`. Another is ignored.',
  schema: { type: 'string' },
};

/** Completes the document that the routes make: names for what is in it, and what holds for all routes. */
export function completeDocument(collected: ApiDocument): ApiDocument {
  const { components, ...rest } = collected;
  const { document, schemas } = nameSchemas(rest, components.schemas);
  const { paths, ...others } = document as ApiDocument;
  const parameters = { RequestId: REQUEST_ID };
  return {
    ...others,
    paths: mapOperations(paths, completeOperation),
    components: { ...components, schemas, parameters },
  } as ApiDocument;
}

/** Adds the job types of the catalog: their payloads as components, and the bodies that `POST /v1/jobs` takes. */
export function addCatalog(document: ApiDocument, catalog: CatalogSnapshot): ApiDocument {
  const names = createComponentNames(Object.keys(document.components.schemas));
  const { schemas, body } = describeSubmissions(catalog, names);
  return {
    ...document,
    paths: mapOperations(document.paths, (operation) =>
      body && operation.operationId === 'submitJob' ? withBody(operation, body) : operation,
    ),
    components: { ...document.components, schemas: { ...document.components.schemas, ...schemas } },
  };
}

function mapOperations(
  paths: ApiDocument['paths'],
  change: (operation: Operation) => Operation,
): ApiDocument['paths'] {
  const changed = Object.entries(paths).map(([path, methods]) => [
    path,
    Object.fromEntries(Object.entries(methods).map(([method, operation]) => [method, change(operation)])),
  ]);
  return Object.fromEntries(changed);
}

/**
 * Fastify has no word for a body that may be left out, nor for a header that is always there, so a route says it with
 * `x-optional-body` and `x-always`.
 */
function completeOperation({ 'x-optional-body': isOptional, ...operation }: Operation): Operation {
  const { requestBody, responses = {} } = operation;
  return {
    ...operation,
    parameters: [...(operation.parameters ?? []), { $ref: '#/components/parameters/RequestId' }],
    ...(requestBody && { requestBody: { ...requestBody, required: isOptional !== true } }),
    responses: mapValues(responses, completeResponse),
  };
}

function completeResponse({ headers, ...response }: ResponseObject): ResponseObject {
  if (!headers) return response;
  const completed = mapValues(headers, ({ schema: { 'x-always': isAlwaysThere, ...schema }, ...header }) => ({
    ...header,
    ...(isAlwaysThere === true && { required: true }),
    schema,
  }));
  return { ...response, headers: completed };
}

function mapValues<One, Other>(
  members: Record<string, One>,
  change: (value: One) => Other,
): Record<string, Other> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, change(value)]));
}

/** The example goes: which of the types it is one of, readers would have to find out by trying all of them. */
function withBody(operation: Operation, schema: object): Operation {
  const content = { 'application/json': { schema } };
  return { ...operation, requestBody: { ...operation.requestBody, content } };
}
