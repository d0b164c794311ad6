import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';

/** Tells who takes turns with whom: tenants, and addresses that connect of those who have not shown a key of one. */
export interface Clients {
  /** Tells whose key an `Authorization` header was found to have. */
  remember(header: string, tenantId: string): void;
  of(request: IncomingMessage): string;
}

/** Keys for which it is remembered. */
const MAX_HEADERS = 10_000;

/** Makes what names clients, before anybody has looked whether a key still works: it decides about nothing but turns. */
export function createClients(): Clients {
  const tenants = new LRUCache<string, string>({ max: MAX_HEADERS });
  return {
    remember: (header, tenantId) => tenants.set(header, tenantId),
    of: ({ headers, socket }) => tenants.get(headers.authorization ?? '') ?? socket.remoteAddress ?? '',
  };
}
