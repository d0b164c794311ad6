import { parseExactly } from '@accepted/shared/core/json/exact-numbers';
import type { CatalogType } from '@accepted/shared/ledger/workers/catalog';
import { createPayloadChecks, type KnownJobType } from '../catalog/payload-checks.ts';
import { type InspectedPayload, inspectPayload } from '../submit/inspect-payload.ts';

/** A payload to be inspected where that holds up nobody. */
export interface LargePayload {
  json: string;
  /** Its type, as in the catalog. */
  row: CatalogType;
  /** Whether the check takes no longer than in proportion to the payload; else it is given up after a while. */
  isQuick: boolean;
}

/** So many types keep their compiled checks in a thread. */
const MAX_TYPES = 1_000;

/** Makes what inspects large payloads; the checks of a type are compiled once for as long as its schemas are the same. */
export function createLargePayloadInspector(): (payload: LargePayload) => InspectedPayload {
  const known = new Map<string, { schemas: string; type: KnownJobType }>();
  // The main thread has told of a schema that cannot be compiled.
  const checks = createPayloadChecks({ onBrokenSchema: () => undefined });

  function knownTypeOf(row: CatalogType): KnownJobType {
    const schemas = JSON.stringify([row.payloadSchema, row.otherSchemas]);
    const before = known.get(row.type);
    if (before?.schemas === schemas) return { ...before.type, row };
    if (known.size >= MAX_TYPES) known.clear();
    const type = checks.compile([row]).get(row.type) as KnownJobType;
    known.set(row.type, { schemas, type });
    return type;
  }

  return ({ json, row }) => ({ ...inspectPayload(knownTypeOf(row), parseExactly(json)), json });
}
