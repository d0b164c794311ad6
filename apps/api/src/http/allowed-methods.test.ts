import { expect, test } from 'vitest';
import { createAllowedMethods } from './allowed-methods.ts';

const allowed = createAllowedMethods();
allowed.add(['GET', 'HEAD'], '/v1/jobs');
allowed.add('POST', '/v1/jobs');
allowed.add('GET', '/v1/jobs/:id/result');
allowed.add('GET', '/docs/*');

test.each([
  ['/v1/jobs', ['GET', 'HEAD', 'POST']],
  ['/v1/jobs/job_1/result', ['GET']],
  // The router takes an empty segment for a name too.
  ['/v1/jobs//result', ['GET']],
  ['/v1/jobs/a/b/result', []],
  ['/v1/jobs/job_1', []],
  ['/docs/static/a.js', ['GET']],
  ['/v1xjobs', []],
])('%s has %j', (path, methods) => {
  expect(allowed.of(path)).toEqual(methods);
});
