import { registerBuild } from '@accepted/shared/ledger/workers/builds';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import spectral from '@stoplight/spectral-core';
import rulesets from '@stoplight/spectral-rulesets';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, startApi } from '../../apps/api/test/api-under-test.ts';
import { ODD_JOB_TYPES } from '../../apps/api/test/odd-job-types.ts';

let api: ApiUnderTest;
const documents = new Map<string, string>();
beforeAll(async () => {
  api = await startApi();
  documents.set('with the usual job types', (await api.send('GET', '/openapi.json', { key: null })).body);
  await using odd = await startApi();
  // Size says nothing about rules, and the linters take long over it.
  await registerBuild(odd.db, { id: 'odd', types: ODD_JOB_TYPES.filter(({ type }) => type !== 'odd.huge') });
  documents.set('with odd job types', (await odd.send('GET', '/openapi.json', { key: null })).body);
});
afterAll(async () => await api?.[Symbol.asyncDispose]());

describe.each(['with the usual job types', 'with odd job types'])('the OpenAPI document %s', (name) => {
  test('is without fault by the recommended rules of Redocly', async () => {
    const config = await createConfig({ extends: ['recommended'] });
    const source = documents.get(name) ?? '';
    const problems = await lintFromString({ source, absoluteRef: 'openapi.json', config });
    expect(problems.map(({ ruleId, message, location }) => [ruleId, location[0]?.pointer, message])).toEqual(
      [],
    );
  });

  test('is without fault by the recommended rules of Spectral', async () => {
    const linter = new spectral.Spectral();
    // Its types know no aliases with targets, which its own rules have.
    linter.setRuleset({ extends: [[rulesets.oas as never, 'recommended']] });
    const problems = await linter.run(JSON.parse(documents.get(name) ?? ''));
    expect(problems.map(({ code, path, message }) => [code, path.join('/'), message])).toEqual([]);
  });
});
