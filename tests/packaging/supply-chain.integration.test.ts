import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { askForAdvisories } from '../../scripts/supply-chain/advisories.ts';
import { checkLicences } from '../../scripts/supply-chain/licences.ts';
import { checkSbom, makeSbom } from '../../scripts/supply-chain/sbom.ts';

/** Starts a registry that answers whoever asks for advisories. */
async function startRegistry(status: number, advisories: object) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const isBulk = request.url?.endsWith('/security/advisories/bulk');
    response.writeHead(isBulk ? status : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isBulk ? advisories : {}));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

const advisoryOf = (name: string) => ({
  [name]: [
    {
      id: 1,
      url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc',
      title: 'It listens to strangers',
      severity: 'high',
      vulnerable_versions: '<999',
      cwe: ['CWE-1'],
      cvss: { score: 7.5, vectorString: null },
    },
  ],
});

test('the SBOM is CycloneDX, every package in it may be used, and one that is damaged is told', async () => {
  const text = await makeSbom();
  expect(await checkSbom(text)).toEqual({ kind: 'fine', summary: expect.stringMatching(/^1\d\d packages$/) });
  const { components } = JSON.parse(text);
  expect(components.map(({ name }: { name: string }) => name)).toEqual(
    expect.arrayContaining(['fastify', 'bullmq', 'pg', 'kysely']),
  );
  expect(checkLicences(components).kind).toBe('fine');
  for (const damaged of [
    text.replace('"type": "library"', '"typ": "library"'),
    text.replaceAll('"purl"', '"purr"'),
  ])
    expect((await checkSbom(damaged)).kind).toBe('faulty');
});

test('a registry that knows something is heard', async () => {
  await using registry = await startRegistry(200, advisoryOf('fastify'));
  const answer = await askForAdvisories(registry.url);
  expect(answer).toMatchObject({
    advisories: [{ module_name: 'fastify', severity: 'high', github_advisory_id: 'GHSA-aaaa-bbbb-cccc' }],
  });
  expect(registry.asked[0]).toBe('/-/npm/v1/security/advisories/bulk');
});

test('a registry that knows nothing says so', async () => {
  await using registry = await startRegistry(200, {});
  expect(await askForAdvisories(registry.url)).toEqual({ advisories: [] });
});

test.each([
  ['that does not know the question', 405, 'responded with 405'],
  ['that is not well', 503, 'responded with 503'],
])('a registry %s is not taken for one that knows nothing', async (_name, status, reason) => {
  await using registry = await startRegistry(status, {});
  expect(await askForAdvisories(registry.url)).toEqual({
    advisories: undefined,
    reason: expect.stringContaining(reason),
  });
});

test('nor is one that is away', async () => {
  expect(await askForAdvisories('http://127.0.0.1:1/')).toEqual({
    advisories: undefined,
    reason: expect.stringContaining('Connection refused'),
  });
});
