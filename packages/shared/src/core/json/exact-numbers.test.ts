import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalDecimal } from './canonical-decimal.ts';
import { digitsOf, holdsInexactNumbers, numbersAsText, parseExactly } from './exact-numbers.ts';

const written = (text: string) => JSON.stringify(parseExactly(text));

describe('a number that a double would change', () => {
  test.each([
    '3889108265204450030',
    '-9007199254740993',
    '0.1000000000000000055',
    '123456789.123456789012',
    '1e400',
    '1e-400',
    '2.5e-324',
    '90071992547409931e1',
    '12345678901234567.8e-3',
  ])('%s keeps every digit', (number) => {
    for (const text of [number, `{"a":${number}}`, `[1,${number},2]`, `{"a":[{"b":${number}}],"c":0.5}`]) {
      expect(written(text)).toBe(text);
      expect(holdsInexactNumbers(text)).toBe(true);
    }
    expect(digitsOf(parseExactly(number))).toBe(number);
  });
});

describe('a number that a double holds', () => {
  test.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992],
    ['1234567890123456', 1234567890123456],
    ['1.10', 1.1],
    ['0.1', 0.1],
    ['0.30000000000000004', 0.30000000000000004],
    ['1.000000000000000000000', 1],
    ['1e21', 1e21],
    ['1000000000000000000000', 1e21],
    ['5e-324', 5e-324],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['-0', -0],
  ])('%s is a plain number', (text, value) => {
    expect(parseExactly(text)).toBe(value);
    expect(holdsInexactNumbers(` [ ${text} ] `)).toBe(false);
  });

  test('digits in a string are no number', () => {
    const text = '{"card":"4111111111111111111","id":"0e123456-1e400"}';
    expect(parseExactly(text)).toEqual(JSON.parse(text));
  });
});

const number = fc
  .tuple(
    fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }),
    fc.option(fc.bigInt({ min: 0n, max: 10n ** 20n })),
    fc.option(fc.integer({ min: -330, max: 310 })),
  )
  .map(
    ([whole, fraction, exponent]) =>
      `${whole}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : `e${exponent}`}`,
  );

test('any number comes out with the value it went in with, wherever it stands', () => {
  fc.assert(
    fc.property(fc.array(number, { minLength: 1 }), fc.jsonValue(), (numbers, beside) => {
      const text = `{"beside":${JSON.stringify(beside)},"in":{"list":[${numbers.join(' , ')}]}}`;
      const again = JSON.parse(JSON.stringify(numbersAsText(parseExactly(text))));
      expect(again.in.list.map((item: unknown) => canonicalDecimal(String(item)))).toEqual(
        numbers.map(canonicalDecimal),
      );
      expect(again.beside).toEqual(JSON.parse(JSON.stringify(beside)));
    }),
  );
});

describe('the numbers as text', () => {
  test('are text where they were kept, and nothing else changes', () => {
    const value = parseExactly(
      '{"id":3889108265204450030,"n":7,"deep":[{"x":0.1000000000000000055},{}],"s":"1"}',
    );
    expect(numbersAsText(value)).toEqual({
      id: '3889108265204450030',
      n: 7,
      deep: [{ x: '0.1000000000000000055' }, {}],
      s: '1',
    });
  });

  test('are the very value when none was kept', () => {
    const value = parseExactly('{"a":[1,2,{"b":0.1}]}');
    expect(numbersAsText(value)).toBe(value);
  });

  test('an object that only looks like a kept number stays an object', () => {
    expect(numbersAsText({ rawJSON: '1' })).toEqual({ rawJSON: '1' });
    expect(digitsOf({ rawJSON: '1' })).toBeUndefined();
  });
});
