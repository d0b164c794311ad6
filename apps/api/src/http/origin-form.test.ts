import { expect, test } from 'vitest';
import { originForm } from './origin-form.ts';

test.each([
  ['/v1/jobs?limit=1', '/v1/jobs?limit=1'],
  ['http://jobs.test/v1/jobs?limit=1', '/v1/jobs?limit=1'],
  ['HTTPS://jobs.test:3000/v1/jobs', '/v1/jobs'],
  ['http://jobs.test', '/'],
  ['http://jobs.test?limit=1', '/?limit=1'],
  ['/v1/jobs?tag=http://elsewhere.test/', '/v1/jobs?tag=http://elsewhere.test/'],
  ['*', '*'],
])('%s is %s', (target, path) => {
  expect(originForm(target)).toBe(path);
});
