import type { CatalogType } from '@accepted/shared/database/catalog';
import { numbersAsText } from '@accepted/shared/json/exact-numbers';
import { createSchemaCompiler } from '@accepted/shared/json-schema/compile-schema';
import { boundedCheck } from '../http/bounded-check.ts';
import { compileCheck, type FindFaults } from '../http/faults.ts';
import { explainDigits, faultsBeyondSchema } from './payload-faults.ts';

/** A job type with its payload schemas compiled. */
export interface KnownJobType {
  row: CatalogType;
  /** The same function for as long as the schema is the same; `undefined` when this server cannot check payloads. */
  check: FindFaults | undefined;
  findPayloadFaults: FindFaults;
  /** Answers the ids of the schemas of other live builds that refuse a payload. */
  refusingSchemas(payload: unknown): string[];
}

export interface PayloadChecks {
  /** Compiles what is new among the types, and lets go of what is not there any more. */
  compile(rows: CatalogType[]): Map<string, KnownJobType>;
}

/** What a check is made of; it is kept for as long as some type has this very schema. */
type SchemaKey = string;

/**
 * Compiles payload schemas (JSON Schema, draft 2020-12) once for as long as they are there. A schema that cannot be
 * compiled is reported and lets every payload pass: the worker checks again with the real schema.
 */
export function createPayloadChecks(
  onBrokenSchema: (type: string, error: unknown) => void,
  onNewSchema: (type: string, schema: object) => void = () => undefined,
): PayloadChecks {
  let compiled = new Map<SchemaKey, FindFaults | undefined>();

  function compileOne(type: string, schema: object): FindFaults | undefined {
    onNewSchema(type, schema);
    try {
      return boundedCheck(compileWith(schema, { allErrors: false }), () =>
        compileWith(schema, { allErrors: true }),
      );
    } catch (error) {
      onBrokenSchema(type, error);
      return undefined;
    }
  }

  return {
    compile(rows) {
      const kept: typeof compiled = new Map();
      const checkOf = (type: string, schema: object) => {
        const key = `${type} ${JSON.stringify(schema)}`;
        const check = compiled.has(key) ? compiled.get(key) : compileOne(type, schema);
        kept.set(key, check);
        return check;
      };
      const known = new Map(rows.map((row) => [row.type, know(row, checkOf)]));
      compiled = kept;
      return known;
    },
  };
}

function compileWith(schema: object, options: { allErrors: boolean }): FindFaults {
  return compileCheck(createSchemaCompiler(schema, options), schema, { prefix: '/payload' });
}

function know(
  row: CatalogType,
  checkOf: (type: string, schema: object) => FindFaults | undefined,
): KnownJobType {
  const check = checkOf(row.type, row.payloadSchema);
  const others = row.otherSchemas.map(({ id, payloadSchema }) => ({
    id,
    check: checkOf(row.type, payloadSchema),
  }));
  return {
    row,
    check,
    findPayloadFaults(payload) {
      // As its handler will get it, so that the schema says at the door whether it takes the text of a number.
      const asText = numbersAsText(payload);
      return [...explainDigits(payload, check?.(asText) ?? []), ...faultsBeyondSchema(row.type, asText)];
    },
    refusingSchemas(payload) {
      if (others.length === 0) return [];
      const asText = numbersAsText(payload);
      return others.flatMap((other) => ((other.check?.(asText).length ?? 0) > 0 ? other.id : []));
    },
  };
}
