/** A schema of the OpenAPI document, as far as the reference tells of it. */
export interface DocumentedSchema {
  $ref?: string;
  type?: string;
  format?: string;
  enum?: unknown[];
  const?: unknown;
  description?: string;
  items?: DocumentedSchema;
  anyOf?: DocumentedSchema[];
  oneOf?: DocumentedSchema[];
  properties?: Record<string, DocumentedSchema>;
  required?: string[];
  default?: unknown;
  [limit: string]: unknown;
}

/** Says what values a schema takes, in the cell of a table. */
export function typeWords(schema: DocumentedSchema): string {
  return [kindOf(schema), ...limitsOf(schema)].join(', ');
}

function kindOf(schema: DocumentedSchema): string {
  const { $ref, type, format, enum: values, items } = schema;
  if ($ref) return linkTo($ref);
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches) return branches.map(typeWords).join(' or ');
  if ('const' in schema) return code(schema.const);
  if (values) return values.map(code).join(', ');
  if (type === 'array')
    return items && Object.keys(items).length > 0 ? `array of ${typeWords(items)}` : 'array';
  if (type === 'string' && format) return FORMATS[format] ?? `string (${format})`;
  return type ?? 'any JSON';
}

const FORMATS: Record<string, string> = {
  'date-time': 'time (RFC 3339)',
  uri: 'URL',
  'uri-reference': 'path',
};

/** Links to what the page says of a component. */
function linkTo(reference: string): string {
  const name = reference.split('/').at(-1) ?? '';
  return `[${name}](#${name.toLowerCase()})`;
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

const LIMITS: [keyword: string, words: (limit: string) => string][] = [
  ['minLength', (n) => (n === '1' ? 'not empty' : `at least ${n} characters`)],
  ['maxLength', (n) => `at most ${n} characters`],
  ['minItems', (n) => `at least ${n}`],
  ['maxItems', (n) => `at most ${n}`],
  ['uniqueItems', () => 'no two alike'],
  ['minimum', (n) => `${n} or more`],
  ['maximum', (n) => `${n} or less`],
  ['pattern', (pattern) => `as \`${pattern}\``],
];

function limitsOf(schema: DocumentedSchema): string[] {
  return LIMITS.filter(([keyword]) => schema[keyword] !== undefined).map(([keyword, words]) => {
    const limit = schema[keyword];
    return words(typeof limit === 'number' ? limit.toLocaleString('en') : String(limit));
  });
}
