import type { ApiDocument } from '../../src/openapi/api-document.ts';
import { CONVENTIONS } from '../../src/openapi/conventions.ts';
import { curlOf } from './curl.ts';
import { INTRODUCTION } from './reference-texts.ts';
import { type DocumentedSchema, typeWords } from './schema-words.ts';

interface Parameter {
  $ref?: string;
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema: DocumentedSchema;
}

interface Response {
  description: string;
  headers?: Record<string, { description: string; schema: DocumentedSchema }>;
  content?: Record<string, { schema: DocumentedSchema }>;
}

/** An operation of the OpenAPI document, as far as the reference tells of it. */
export interface DocumentedOperation {
  operationId: string;
  summary: string;
  description: string;
  tags: string[];
  security?: object[];
  parameters?: Parameter[];
  requestBody?: {
    required?: boolean;
    content: Record<string, { schema: DocumentedSchema; example?: unknown }>;
  };
  responses: Record<string, Response>;
}

/** Writes docs/api.md out of the OpenAPI document, so that the two cannot differ. */
export function writeReference(document: ApiDocument): string {
  const tags = document.tags.filter(({ name }) => name !== 'webhooks');
  const sections = tags.flatMap(({ name, description }) => [
    `## ${capitalized(name)}\n\n${description}`,
    ...operationsOf(document, name).map(([method, path, operation]) =>
      writeOperation(method, path, operation),
    ),
  ]);
  const objects = Object.entries(document.components.schemas as Record<string, DocumentedSchema>).toSorted(
    ([one], [other]) => one.localeCompare(other),
  );
  const parts = [
    INTRODUCTION,
    `## Conventions\n\n${CONVENTIONS}`,
    ...sections,
    WEBHOOKS,
    '## Objects',
    ...objects.map(writeObject),
  ];
  return `${parts.join('\n\n')}\n`;
}

const WEBHOOKS = `## Webhooks

What the platform sends to you has [a page of its own](webhooks.md); the \`webhooks\` of \`/openapi.json\` describe the bodies and headers.`;

type Operation = [method: string, path: string, operation: DocumentedOperation];

function operationsOf({ paths }: ApiDocument, tag: string): Operation[] {
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]): Operation => [method, path, operation as unknown as DocumentedOperation],
    ),
  );
  return all.filter(([, , { tags }]) => tags.includes(tag));
}

function writeOperation(method: string, path: string, operation: DocumentedOperation): string {
  const parts = [
    `### ${operation.summary}`,
    `\`${method.toUpperCase()} ${path}\` · \`${operation.operationId}\``,
    operation.description,
    `\`\`\`sh\n${curlOf(method, path, operation)}\n\`\`\``,
    writeParameters(operation.parameters ?? []),
    writeBody(operation.requestBody),
    writeAnswers(operation.responses),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function writeParameters(parameters: Parameter[]): string {
  const own = parameters.filter(({ $ref }) => $ref === undefined);
  if (own.length === 0) return '';
  const rows = own.map((parameter) => {
    const { name, schema, description = '', required } = parameter;
    const fallback = schema.default === undefined ? '' : `; \`${String(schema.default)}\` by default`;
    const place = parameter.in === 'path' ? 'path' : `${parameter.in}${required ? '' : ', optional'}`;
    return [`\`${name}\``, place, `${typeWords(schema)}${fallback}`, description];
  });
  return table(['Parameter', 'In', 'Type', 'Meaning'], rows);
}

function writeBody(body: DocumentedOperation['requestBody']): string {
  const schema = body?.content['application/json']?.schema;
  if (!schema) return '';
  return `Body: ${typeWords(schema)}${body?.required === false ? ', may be left out' : ''}.`;
}

function writeAnswers(responses: Record<string, Response>): string {
  const own = Object.entries(responses).filter(([status]) => !COMMON_STATUSES.includes(status));
  const rows = own.map(([status, { description, headers = {}, content = {} }]) => {
    const [body] = Object.entries(content);
    const names = Object.keys(headers).filter((name) => !EVERYWHERE.includes(name));
    return [
      status,
      description,
      body ? bodyWords(body) : '–',
      names.map((name) => `\`${name}\``).join(', ') || '–',
    ];
  });
  return table(['Status', 'Meaning', 'Body', 'Headers'], rows);
}

/** What all routes can answer, and all answers have, is said once, at the top. */
const COMMON_STATUSES = ['408', '431', '500'];
const EVERYWHERE = ['X-Request-Id', 'Cache-Control', 'Vary'];

function bodyWords([mediaType, { schema }]: [string, { schema: DocumentedSchema }]): string {
  return /json$/.test(mediaType) ? typeWords(schema) : `\`${mediaType}\``;
}

function writeObject([name, schema]: [string, DocumentedSchema]): string {
  const fields = fieldRows(schema);
  const text = schema.description ?? '';
  if (fields.length > 0) return `### ${name}\n\n${text}\n\n${table(['Field', 'Type', 'Meaning'], fields)}`;
  return `### ${name}\n\n${text} ${capitalized(typeWords({ ...schema, description: '' }))}.`;
}

/** Lists the fields of an object, and those of an object within it after it. */
function fieldRows({ properties = {}, required = [] }: DocumentedSchema, prefix = ''): string[][] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const path = `${prefix}${name}`;
    const optional = required.includes(name) ? '' : ', optional';
    const inner = innerObject(schema);
    return [
      [`\`${path}\``, `${typeWords(schema)}${optional}`, schema.description ?? ''],
      ...(inner ? fieldRows(inner.schema, `${path}${inner.suffix}.`) : []),
    ];
  });
}

function innerObject(schema: DocumentedSchema): { schema: DocumentedSchema; suffix: string } | undefined {
  if (schema.properties) return { schema, suffix: '' };
  if (schema.items?.properties) return { schema: schema.items, suffix: '[]' };
  const branch = schema.anyOf?.find(({ properties }) => properties);
  return branch && { schema: branch, suffix: '' };
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s*\n\s*/g, ' ');
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1).replace('-', ' ');
}
