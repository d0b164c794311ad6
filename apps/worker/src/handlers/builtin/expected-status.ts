import { z } from 'zod';

const one = z.union([z.int().min(200).max(599), z.enum(['2xx', '3xx', '4xx', '5xx'])]);

/** The statuses that are a success: one, a class of them, or a list of both. */
export const expectedStatus = z.union([one, z.array(one).min(1).max(50)]);

type Expected = z.output<typeof expectedStatus>;

/** Tells whether a reply of this status is a success. */
export function isExpected(status: number, expected: Expected): boolean {
  const statusClass = `${Math.floor(status / 100)}xx`;
  return [expected].flat().some((item) => item === status || item === statusClass);
}
