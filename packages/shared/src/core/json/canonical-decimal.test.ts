import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalDecimal, plainDecimal } from './canonical-decimal.ts';

test.each([
  ['0', '0'],
  ['-0.000e7', '0'],
  ['10', '1e1'],
  ['1.0e1', '1e1'],
  ['0.0010', '1e-3'],
  ['-3889108265204450030', '-388910826520445003e1'],
  ['1e99999999999999999999', '1e99999999999999999999'],
])('%s is %s', (number, canonical) => {
  expect(canonicalDecimal(number)).toBe(canonical);
});

test.each([
  ['-0.0', '0'],
  ['1e3', '1000'],
  ['-1.50', '-1.5'],
  ['12e-3', '0.012'],
  ['-5e-1', '-0.5'],
  ['1200e-2', '12'],
])('%s is %s without an exponent', (number, plain) => {
  expect(plainDecimal(number)).toBe(plain);
});

test('two spellings are the same exactly when their values are', () => {
  const parts = fc.record({ digits: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), zeros: fc.nat(20) });
  fc.assert(
    fc.property(parts, parts, (one, other) => {
      const spelled = `${one.digits}${'0'.repeat(one.zeros)}e-${one.zeros}`;
      expect(canonicalDecimal(spelled)).toBe(canonicalDecimal(`${one.digits}.0`));
      const isSame = one.digits === other.digits;
      expect(canonicalDecimal(String(one.digits)) === canonicalDecimal(String(other.digits))).toBe(isSame);
    }),
  );
});

test('what is no number is refused', () => {
  for (const text of ['', '1.', '.5', '+1', 'NaN', '0x1'])
    expect(() => canonicalDecimal(text)).toThrow(TypeError);
});

test('a million zeros take no time', () => {
  const digits = `1${'0'.repeat(500_000)}1${'0'.repeat(500_000)}`;
  expect(canonicalDecimal(digits)).toMatch(/^10+1e500000$/);
});
