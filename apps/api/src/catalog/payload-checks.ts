import { createSchemaCompiler } from '@accepted/shared/contract/compile-schema';
import { numbersAsText } from '@accepted/shared/core/json/exact-numbers';
import type { CatalogType } from '@accepted/shared/ledger/workers/catalog';
import { boundedCheck } from '../http/bounded-check.ts';
import { compileCheck, type FindFaults } from '../http/faults.ts';
import { explainDigits, faultsBeyondSchema } from '../submit/payload-faults.ts';
import { isQuickButForPatterns, patternsOf } from './quick-schema.ts';

/** A job type with its payload schemas compiled. */
export interface KnownJobType {
  row: CatalogType;
  /** The same function for as long as the schema is the same; `undefined` when this server cannot check payloads. */
  check: FindFaults | undefined;
  /** Whether a check takes no longer than in proportion to the payload. */
  readonly isQuick: boolean;
  findPayloadFaults: FindFaults;
  /** Answers the ids of the schemas of other live builds that refuse a payload. */
  refusingSchemas(payload: unknown): string[];
}

export interface PayloadChecks {
  /** Compiles what is new among the types, and lets go of what is not there any more. */
  compile(rows: CatalogType[]): Map<string, KnownJobType>;
}

/** A schema, compiled unless it cannot be. */
interface CompiledSchema {
  check: FindFaults | undefined;
  isQuick: boolean;
}

/** What a check is made of; it is kept for as long as some type has this very schema. */
type SchemaKey = string;

export interface PayloadCheckOptions {
  onBrokenSchema: (type: string, error: unknown) => void;
  onNewSchema?: (type: string, schema: object) => void;
  /** Judges a schema with patterns, which takes its time; until it has answered, the schema is not quick. */
  isQuick?: (schema: object) => Promise<boolean>;
}

/**
 * Compiles payload schemas (JSON Schema, draft 2020-12) once for as long as they are there. A schema that cannot be
 * compiled is reported and lets every payload pass: the worker checks again with the real schema.
 */
export function createPayloadChecks(options: PayloadCheckOptions): PayloadChecks {
  const { onBrokenSchema, onNewSchema, isQuick } = options;
  let compiled = new Map<SchemaKey, CompiledSchema>();

  function compileOne(type: string, schema: object): CompiledSchema {
    onNewSchema?.(type, schema);
    try {
      const check = boundedCheck(compileWith(schema, { allErrors: false }), () =>
        compileWith(schema, { allErrors: true }),
      );
      return judged({ check, isQuick: isQuickButForPatterns(schema) }, schema);
    } catch (error) {
      onBrokenSchema(type, error);
      return { check: undefined, isQuick: true };
    }
  }

  function judged(one: CompiledSchema, schema: object): CompiledSchema {
    if (!one.isQuick || patternsOf(schema).length === 0) return one;
    one.isQuick = false;
    isQuick?.(schema).then(
      (answer) => {
        one.isQuick = answer;
      },
      // It stays what is right in any case.
      () => undefined,
    );
    return one;
  }

  return {
    compile(rows) {
      const kept: typeof compiled = new Map();
      const compiledOf = (type: string, schema: object) => {
        const key = `${type} ${JSON.stringify(schema)}`;
        const one = compiled.get(key) ?? compileOne(type, schema);
        kept.set(key, one);
        return one;
      };
      const known = new Map(rows.map((row) => [row.type, know(row, compiledOf)]));
      compiled = kept;
      return known;
    },
  };
}

function compileWith(schema: object, options: { allErrors: boolean }): FindFaults {
  return compileCheck(createSchemaCompiler(schema, options), schema, { prefix: '/payload' });
}

function know(row: CatalogType, compiledOf: (type: string, schema: object) => CompiledSchema): KnownJobType {
  const own = compiledOf(row.type, row.payloadSchema);
  const { check } = own;
  const others = row.otherSchemas.map(({ id, payloadSchema }) => ({
    id,
    compiled: compiledOf(row.type, payloadSchema),
  }));
  return {
    row,
    check,
    get isQuick() {
      return own.isQuick && others.every(({ compiled }) => compiled.isQuick);
    },
    findPayloadFaults(payload) {
      // As its handler will get it, so that the schema says at the door whether it takes the text of a number.
      const asText = numbersAsText(payload);
      return [...explainDigits(payload, check?.(asText) ?? []), ...faultsBeyondSchema(row.type, asText)];
    },
    refusingSchemas(payload) {
      if (others.length === 0) return [];
      const asText = numbersAsText(payload);
      return others.flatMap(({ id, compiled }) => ((compiled.check?.(asText).length ?? 0) > 0 ? id : []));
    },
  };
}
