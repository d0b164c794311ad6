import type { NamedSchemas, Schema } from './schema.ts';

/** One parameter of an operation, in its path, its query or its headers. */
export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  description: string;
  schema: Schema;
}

/** What the document says of the answers of one status. */
export interface Response {
  description: string;
  headers: Record<string, { required?: boolean; schema: Schema }>;
  /** By media type; `undefined` where there is no body. */
  content: Record<string, Schema> | undefined;
}

/** One operation of the document. */
export interface Operation {
  id: string;
  method: string;
  /** With its parameters in braces. */
  path: string;
  needsKey: boolean;
  /** The scope that its caller needs. */
  scope: string | undefined;
  /** The one that does as well. */
  orScope: string | undefined;
  parameters: Parameter[];
  body: { schema: Schema; isRequired: boolean } | undefined;
  /** By status. */
  responses: Record<string, Response>;
}

/** An OpenAPI 3.1 document, read as far as requests can be made and answers judged by it. */
export interface ApiDocument {
  operations: Operation[];
  schemas: NamedSchemas;
}

interface RawOperation {
  operationId: string;
  security?: object[];
  'x-required-scope'?: string;
  'x-or-scope'?: string;
  parameters?: (Parameter | { $ref: string })[];
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> };
  responses: Record<string, Omit<Response, 'content'> & { content?: Record<string, { schema: Schema }> }>;
}

interface RawDocument {
  paths: Record<string, Record<string, RawOperation>>;
  components: { schemas: Record<string, Schema>; parameters: Record<string, Parameter> };
}

const PARAMETERS = '#/components/parameters/';

/** Reads the JSON of `/openapi.json`. */
export function readDocument(json: unknown): ApiDocument {
  const { paths, components } = json as RawDocument;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, raw]) => readOperation(method, path, raw, components.parameters)),
  );
  return { operations, schemas: components.schemas };
}

function readOperation(
  method: string,
  path: string,
  raw: RawOperation,
  named: Record<string, Parameter>,
): Operation {
  const body = raw.requestBody?.content['application/json'];
  return {
    id: raw.operationId,
    method: method.toUpperCase(),
    path,
    needsKey: (raw.security ?? []).length > 0,
    scope: raw['x-required-scope'],
    orScope: raw['x-or-scope'],
    parameters: (raw.parameters ?? []).flatMap((parameter) => readParameter(parameter, named)),
    body: body && { schema: body.schema, isRequired: raw.requestBody?.required === true },
    responses: Object.fromEntries(
      Object.entries(raw.responses).map(([status, response]) => [status, readResponse(response)]),
    ),
  };
}

function readParameter(
  parameter: Parameter | { $ref: string },
  named: Record<string, Parameter>,
): Parameter[] {
  if (!('$ref' in parameter)) return [parameter];
  const referred = named[parameter.$ref.slice(PARAMETERS.length)];
  return referred ? [referred] : [];
}

function readResponse({ description, headers, content }: RawOperation['responses'][string]): Response {
  const schemas = content && Object.entries(content).map(([type, { schema }]) => [type, schema]);
  return { description, headers: headers ?? {}, content: schemas && Object.fromEntries(schemas) };
}
