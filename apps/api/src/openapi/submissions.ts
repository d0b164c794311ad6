import { DELIVERY_TYPE } from '@accepted/shared/core/webhook/event';
import type { CatalogSnapshot } from '../catalog/catalog.ts';
import type { KnownJobType } from '../catalog/payload-checks.ts';
import { ANYTHING, bundleSchema } from './bundle-schema.ts';
import type { ComponentNames } from './component-names.ts';
import type { Schema, SchemaObject } from './schema-keywords.ts';

/** What the document says of the job types that can be submitted. */
export interface Submissions {
  schemas: Record<string, SchemaObject>;
  /** The body of a submission, typed by its `type`; `undefined` where no type is known. */
  body: object | undefined;
}

/** Describes the payload of every job type as `Payload.<type>`, and the body that goes with each. */
export function describeSubmissions({ types }: CatalogSnapshot, names: ComponentNames): Submissions {
  const submittable = [...types.values()].filter(({ row }) => row.type !== DELIVERY_TYPE);
  const described = submittable.map((known) => {
    const payload = names.take(`Payload.${known.row.type}`);
    return { type: known.row.type, payload, schemas: describePayload(payload, known, names) };
  });
  return {
    schemas: Object.assign({}, ...described.map(({ schemas }) => schemas)),
    body: described.length > 1 ? { oneOf: described.map(describeBody) } : described.map(describeBody)[0],
  };
}

function describeBody({ type, payload }: { type: string; payload: string }): object {
  return {
    allOf: [
      { $ref: '#/components/schemas/JobRequest' },
      {
        type: 'object',
        properties: {
          type: { type: 'string', const: type },
          payload: { $ref: `#/components/schemas/${payload}` },
        },
        required: ['type', 'payload'],
      },
    ],
  };
}

/** Says of a payload what this server checks: of a schema that it cannot compile that is nothing. */
function describePayload(
  name: string,
  { row, check }: KnownJobType,
  names: ComponentNames,
): Record<string, SchemaObject> {
  const unknown = { [name]: { ...ANYTHING, description: 'Any JSON; the worker alone checks it.' } };
  if (!check) return unknown;
  try {
    return bundleSchema(name, row.payloadSchema as Schema, names);
  } catch (error) {
    // Nested deeper than the stack reaches. One type must not cost the others their document.
    if (error instanceof RangeError) return unknown;
    throw error;
  }
}
