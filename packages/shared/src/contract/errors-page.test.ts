import { expect, test } from 'vitest';
import { errorsPage } from './errors-page.ts';
import { isProblemCode, PROBLEMS } from './problems.ts';

test('docs/errors.md says what the registry says', async () => {
  await expect(errorsPage()).toMatchFileSnapshot('../../../../docs/errors.md');
});

test('every code is snake case and every status an error', () => {
  for (const [code, { status }] of Object.entries(PROBLEMS)) {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
  }
});

test('names of Object.prototype are no codes', () => {
  expect(isProblemCode('constructor')).toBe(false);
  expect(isProblemCode('job_failed')).toBe(true);
});
