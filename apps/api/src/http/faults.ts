import type { ErrorObject } from 'ajv';
import { escapePointer } from '../json/scan-json.ts';
import type { Fault } from './problem.ts';

const MAX_FAULTS = 50;

/** Turns what Ajv found into faults whose pointers name the field itself; `prefix` is where the value stands. */
export function faultsOfAjv(errors: readonly ErrorObject[] | null | undefined, prefix = ''): Fault[] {
  const faults = (errors ?? []).map((error) => ({
    pointer: prefix + error.instancePath + offendingField(error),
    detail: describe(error),
  }));
  const distinct = new Map(faults.map((fault) => [`${fault.pointer} ${fault.detail}`, fault]));
  return [...distinct.values()].slice(0, MAX_FAULTS);
}

function offendingField({ keyword, params }: ErrorObject): string {
  const names: Record<string, unknown> = {
    required: params.missingProperty,
    additionalProperties: params.additionalProperty,
    unevaluatedProperties: params.unevaluatedProperty,
    discriminator: params.tag,
  };
  const name = names[keyword];
  return typeof name === 'string' ? `/${escapePointer(name)}` : '';
}

function describe({ keyword, message, params }: ErrorObject): string {
  if (keyword === 'required') return 'This field is required.';
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties')
    return 'There is no such field.';
  if (keyword === 'const') return `It must be ${JSON.stringify(params.allowedValue)}.`;
  if (keyword === 'enum') return `It must be one of ${params.allowedValues.join(', ')}.`;
  return `It ${message ?? 'is not valid'}.`;
}
