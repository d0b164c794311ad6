import { expect, test } from 'vitest';
import { checkLicences } from './licences.ts';
import type { Component } from './sbom.ts';

const withLicences = (licenses?: Component['licenses']): Component[] => [
  { purl: 'pkg:npm/some@1.0.0', ...(licenses && { licenses }) },
];
const named = (id: string) => withLicences([{ license: { id } }]);
const of = (expression: string) => withLicences([{ expression }]);

test.each([
  ['MIT', named('MIT')],
  ['one of two', of('(GPL-3.0-only OR MIT)')],
  ['two at once', of('MIT AND BSD-3-Clause')],
])('allowed: %s', (_name, components) => {
  expect(checkLicences(components).kind).toBe('fine');
});

test.each([
  ['GPL-3.0-only', named('GPL-3.0-only')],
  ['AGPL-3.0-only', named('AGPL-3.0-only')],
  ['MIT AND GPL-3.0-only', of('MIT AND GPL-3.0-only')],
  ['UNLICENSED', withLicences([{ license: { name: 'UNLICENSED' } }])],
  ['MIT, SSPL-1.0', withLicences([{ license: { id: 'MIT' } }, { license: { id: 'SSPL-1.0' } }])],
  ['no licence', withLicences()],
])('not allowed: %s, and the package is named', (licence, components) => {
  expect(checkLicences([...named('MIT'), ...components])).toEqual({
    kind: 'faulty',
    faults: [expect.stringContaining(`pkg:npm/some@1.0.0 has ${licence}: `)],
  });
});
