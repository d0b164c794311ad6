import { privateNetworks } from '@accepted/shared/runtime/config/settings';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAddressPolicy } from './address-policy.ts';

const nothingAllowed = createAddressPolicy([]);

/** What is not the public internet (IANA special-purpose registries), with an address range of each. */
const PRIVATE_IPV4: [string, number, number][] = [
  ['0.0.0.0/8', 0x00000000, 0x00ffffff],
  ['10.0.0.0/8', 0x0a000000, 0x0affffff],
  ['100.64.0.0/10', 0x64400000, 0x647fffff],
  ['127.0.0.0/8', 0x7f000000, 0x7fffffff],
  ['169.254.0.0/16', 0xa9fe0000, 0xa9feffff],
  ['172.16.0.0/12', 0xac100000, 0xac1fffff],
  ['192.0.0.0/24', 0xc0000000, 0xc00000ff],
  ['192.168.0.0/16', 0xc0a80000, 0xc0a8ffff],
  ['198.18.0.0/15', 0xc6120000, 0xc613ffff],
  ['224.0.0.0/4', 0xe0000000, 0xefffffff],
  ['240.0.0.0/4', 0xf0000000, 0xffffffff],
];

const dotted = (n: number) => [24, 16, 8, 0].map((bits) => (n >>> bits) & 0xff).join('.');
const hexGroups = (n: number) => `${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}`;

/** Every way to write an IPv4 address that a socket, a resolver or an IPv6 stack may take for it. */
const NOTATIONS: [string, (n: number) => string][] = [
  ['dotted', dotted],
  ['decimal', String],
  ['hexadecimal', (n) => `0x${n.toString(16)}`],
  [
    'octal',
    (n) =>
      dotted(n)
        .split('.')
        .map((part) => `0${Number(part).toString(8)}`)
        .join('.'),
  ],
  ['mapped', (n) => `::ffff:${dotted(n)}`],
  ['mapped in hexadecimal', (n) => `::ffff:${hexGroups(n)}`],
  ['mapped in full', (n) => `0:0:0:0:0:ffff:${hexGroups(n)}`],
  ['compatible', (n) => `::${dotted(n)}`],
  ['translated', (n) => `::ffff:0:${hexGroups(n)}`],
  ['NAT64', (n) => `64:ff9b::${hexGroups(n)}`],
  ['local NAT64', (n) => `64:ff9b:1::${hexGroups(n)}`],
  ['6to4', (n) => `2002:${hexGroups(n)}::1`],
  ['Teredo', (n) => `2001:0:1::${hexGroups(~n >>> 0)}`],
];

describe('without an allowlist', () => {
  it.each(NOTATIONS)('no private address is allowed, written as %s', (_name, write) => {
    const address = fc.constantFrom(...PRIVATE_IPV4).chain(([, min, max]) => fc.integer({ min, max }));
    fc.assert(
      fc.property(address, (n) => {
        expect(nothingAllowed.allows(write(n)), write(n)).toBe(false);
      }),
    );
  });

  it.each([
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '100::1',
    '100:0:0:1::1',
    '2001:db8::1',
    '5f00::1',
    '168.63.129.16',
    '::ffff:168.63.129.16',
    '192.88.99.1',
    '192.0.2.1',
    '198.51.100.1',
    '203.0.113.1',
    '::8.8.8.8',
    '255.255.255.255',
  ])('%s is not allowed', (address) => {
    expect(nothingAllowed.allows(address)).toBe(false);
  });

  it.each(['1.1.1.1', '8.8.8.8', '93.184.215.14', '2606:4700:4700::1111', '::ffff:8.8.8.8'])(
    '%s is',
    (address) => {
      expect(nothingAllowed.allows(address)).toBe(true);
    },
  );

  it('nothing makes it throw', () => {
    const texts = fc.oneof(fc.string(), fc.ipV4(), fc.ipV4Extended(), fc.ipV6(), fc.domain());
    fc.assert(fc.property(texts, (text) => typeof nothingAllowed.allows(text) === 'boolean'));
  });
});

describe('an allowlist', () => {
  const cidr = fc.oneof(
    fc.tuple(fc.ipV4(), fc.nat(32)).map(([address, bits]) => `${address}/${bits}`),
    fc.tuple(fc.ipV6(), fc.nat(128)).map(([address, bits]) => `${address}/${bits}`),
  );

  it('that the setting takes is taken here, and allows what it names', () => {
    fc.assert(
      fc.property(fc.array(cidr, { minLength: 1, maxLength: 3 }), (networks) => {
        const parsed = privateNetworks.safeParse(networks.join(', '));
        if (!parsed.success) return;
        const policy = createAddressPolicy(parsed.data);
        for (const network of parsed.data) {
          const address = network.split('/')[0] ?? '';
          // What embeds an IPv4 address is judged as the address that the socket would reach.
          if (!/:.*[.]|ffff:/i.test(address)) expect(policy.allows(address), network).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('is refused by the setting when it is none, and nothing that the setting takes makes the policy throw', () => {
    const nearly = fc.stringMatching(/^[0-9a-f:.]{0,20}\/?[0-9]{0,3}$/);
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string()), (text) => {
        const parsed = privateNetworks.safeParse(text);
        if (parsed.success) expect(() => createAddressPolicy(parsed.data)).not.toThrow();
      }),
      { numRuns: 2_000 },
    );
  });

  it('opens its network and no other', () => {
    const policy = createAddressPolicy(['10.1.0.0/16', 'fd00:1::/64']);
    const answers = [
      '10.1.2.3',
      '::ffff:10.1.2.3',
      'fd00:1::5',
      '10.2.0.1',
      'fd00:2::5',
      '127.0.0.1',
      '::10.1.2.3',
    ];
    expect(answers.map(policy.allows)).toEqual([true, true, true, false, false, false, false]);
  });
});
