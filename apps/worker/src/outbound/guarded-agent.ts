import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, buildConnector } from 'undici';
import type { AddressPolicy } from './address-policy.ts';

/** Tells that a call was refused before a connection was made. */
export class RefusedAddressError extends Error {
  override name = 'RefusedAddressError';

  constructor(host: string) {
    super(`${host} is not an address that may be called from here.`);
  }
}

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Opens an agent that connects to allowed addresses only. An attacker could name a private address as a literal, which
 * is never looked up, or give a name that answers with another address the second time, so literals are checked here
 * and a name's addresses are checked in the very lookup whose answer the socket connects to.
 */
export function openGuardedAgent(policy: AddressPolicy, lookup: typeof systemLookup = systemLookup): Agent {
  const connect = buildConnector({
    timeout: CONNECT_TIMEOUT_MS,
    allowH2: false,
    lookup: guardedLookup(policy, lookup),
  });
  return new Agent({
    allowH2: false,
    connect(options, callback) {
      const host = options.hostname.replace(/^\[|\]$/g, '');
      if (isLiteral(host) && !policy.allows(host)) callback(new RefusedAddressError(host), null);
      else connect(options, callback);
    },
  });
}

/** `ipaddr.js` also reads the octal, hexadecimal and short forms that some resolvers take for an address. */
function isLiteral(host: string): boolean {
  return isIP(host) !== 0 || ipaddr.isValid(host);
}

function guardedLookup(policy: AddressPolicy, lookup: typeof systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const allowed = addresses.filter(({ address }) => policy.allows(address));
      const [first] = allowed;
      if (!first) return callback(new RefusedAddressError(hostname), '', 0);
      if (options.all) (callback as LookupAllCallback)(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

type LookupAllCallback = (error: null, addresses: LookupAddress[]) => void;
