import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP, type LookupFunction, type OnReadOpts } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { AddressPolicy } from './address-policy.ts';

/** Tells that a call was refused before a connection was made. */
export class RefusedAddressError extends Error {
  override name = 'RefusedAddressError';

  constructor(host: string) {
    super(`${host} is not an address that may be called from here.`);
  }
}

/** Gives the connections that calls to a URL go through. */
export interface GuardedAgent {
  /** Throws RefusedAddressError when the host is an address that may not be called. */
  agentFor(url: URL): HttpAgent;
}

/** Servers close what is idle for longer, and a request on a connection that is just being closed fails. */
const IDLE_MS = 4_000;
const PIECE_BYTES = 4_096;

/**
 * Opens an agent that connects to allowed addresses only. An attacker could name a private address as a literal, which
 * is never looked up, or give a name that answers with another address the second time, so literals are checked here
 * and a name's addresses are checked in the very lookup whose answer the socket connects to.
 */
export function openGuardedAgent(
  policy: AddressPolicy,
  lookup: typeof systemLookup = systemLookup,
): GuardedAgent {
  const options = { keepAlive: true, timeout: IDLE_MS, lookup: guardedLookup(policy, lookup) };
  const agents = { http: inPieces(new HttpAgent(options)), https: inPieces(new HttpsAgent(options)) };
  return {
    agentFor({ protocol, hostname }) {
      const host = hostname.replace(/^\[|\]$/g, '');
      if (isLiteral(host) && !policy.allows(host)) throw new RefusedAddressError(host);
      return protocol === 'https:' ? agents.https : agents.http;
    },
  };
}

/**
 * Has the connections of an agent read in small pieces. Node parses all that one read has brought, also when the call was
 * given up at the first line of it: an attacker could put a thousand interim replies into one.
 */
function inPieces<Agent extends HttpAgent>(agent: Agent): Agent {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, onCreated) => {
    const onread: OnReadOpts = {
      buffer: () => Buffer.allocUnsafeSlow(PIECE_BYTES),
      callback: (size, piece) => socket?.push(piece.subarray(0, size)) ?? false,
    };
    const withPieces = { ...options, onread };
    const socket = connect(withPieces, onCreated);
    return socket;
  };
  return agent;
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
