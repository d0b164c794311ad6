import { digitsOf } from '@accepted/shared/core/json/exact-numbers';
import { findHttpRequestFaults, HTTP_REQUEST_TYPE } from '@accepted/shared/core/outbound/http-request-faults';
import type { Fault } from '../http/problem.ts';
import { escapePointer } from '../json/scan-json.ts';
import { resolvePointer } from './json-pointer.ts';

/** Lists what cannot be said in the JSON Schema of a built-in type. */
export function faultsBeyondSchema(type: string, payload: unknown): Fault[] {
  if (type !== HTTP_REQUEST_TYPE) return [];
  return findHttpRequestFaults(payload).map(({ path, detail }) => ({
    pointer: ['/payload', ...path.map(escapePointer)].join('/'),
    detail,
  }));
}

const DIGITS_FAULT =
  'has more digits than a double holds exactly, so the handler would get it as text, which the schema does not take here.';

/** Says of numbers that go as text what they are: a client that sent a number must not be told that it sent a text. */
export function explainDigits(payload: unknown, faults: Fault[]): Fault[] {
  if (faults.length === 0) return faults;
  const explained = faults.map((fault): [string, Fault] => {
    const digits = digitsOf(resolvePointer({ payload }, fault.pointer));
    if (digits === undefined) return [`${fault.pointer} ${fault.detail}`, fault];
    return [fault.pointer, { pointer: fault.pointer, detail: `${shortened(digits)} ${DIGITS_FAULT}` }];
  });
  return [...new Map(explained).values()];
}

function shortened(digits: string): string {
  return digits.length > 40 ? `${digits.slice(0, 40)}…` : digits;
}
