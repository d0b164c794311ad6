import { describe, expect, test } from 'vitest';
import { urlFault } from './url-fault.ts';

const label = 'a'.repeat(63);
const longest = `${label}.${label}.${label}.${'a'.repeat(61)}`;

describe('urlFault', () => {
  test.each([
    'a',
    'a.example',
    'a.example.',
    'my_service.internal',
    '_a-.example',
    'bücher.example',
    label,
    longest,
    `${longest}.`,
    '10.0.0.1',
    '2130706433',
    '[::1]',
    '[::ffff:10.0.0.1]',
  ])('lets the host %s pass', (host) => {
    expect(urlFault(`http://${host}/`)).toBeUndefined();
  });

  test.each([
    ['x..y', 'cannot exist'],
    ['.a', 'cannot exist'],
    ['a..', 'cannot exist'],
    ['...', 'cannot exist'],
    ['.', 'cannot exist'],
    ['*', 'cannot exist'],
    ['*.example', 'cannot exist'],
    ['a!b', 'cannot exist'],
    [`${label}a`, 'cannot exist'],
    // It is its form in ASCII that must fit.
    [`${'ü'.repeat(60)}.example`, 'cannot exist'],
    [`${longest}a`, 'longer than 253'],
    [`a.${longest}.`, 'longer than 253'],
  ])('refuses the host %s, which no resolver finds', (host, fault) => {
    expect(urlFault(`http://${host}/`)).toContain(fault);
  });
});
