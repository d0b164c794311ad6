import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

/** Says which addresses a call on a user's behalf may reach. */
export interface AddressPolicy {
  /** Takes an IP address in any notation that a socket would understand. */
  allows(address: string): boolean;
}

/** Inside networks that pass as public: Azure's host, where tokens of the machine are handed out. */
const DENIED: Network[] = [ipaddr.parseCIDR('168.63.129.16/32')];

/** All of the public IPv6 internet; outside it lie forms that embed an IPv4 address, such as `::127.0.0.1`. */
const PUBLIC_IPV6 = ipaddr.parseCIDR('2000::/3');

/**
 * Allows the public internet, and the networks listed (CIDRs) although they are private. Throws when one of them is
 * not a CIDR.
 */
export function createAddressPolicy(allowedNetworks: readonly string[]): AddressPolicy {
  const allowed = allowedNetworks.map((network) => ipaddr.parseCIDR(network));
  return {
    allows(given) {
      const text = isIPv6(given) ? inHexadecimal(given) : given;
      if (!ipaddr.isValid(text)) return false;
      const address = ipaddr.process(text);
      return isIn(address, allowed) || (isPublic(address) && !isIn(address, DENIED));
    },
  };
}

/** Resolvers write `::8.8.8.8` for an IPv6 address, which `ipaddr.js` takes for the IPv4 one: not where a socket goes. */
function inHexadecimal(ipv6: string): string {
  return URL.parse(`http://[${ipv6}]`)?.hostname.slice(1, -1) ?? '';
}

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || isIn(address, [PUBLIC_IPV6]);
}

function isIn(address: Address, networks: Network[]): boolean {
  return networks.some(
    ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
  );
}
