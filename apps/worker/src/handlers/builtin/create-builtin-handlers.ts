import type { JobDefinition } from '@accepted/job';
import { createAddressPolicy } from '../../outbound/address-policy.ts';
import { openGuardedAgent } from '../../outbound/guarded-agent.ts';
import { createOutbound } from '../../outbound/guarded-request.ts';
import type { LoadedHandler } from '../loaded-handler.ts';
import { defineHttpRequest } from './http-request.ts';
import type { WebhookSecrets } from './signed-headers.ts';
import { defineWebhookDeliver } from './webhook-deliver.ts';

export interface BuiltinServices {
  webhookSecrets: WebhookSecrets;
  /** CIDRs that calls may reach although they are private. */
  allowPrivateNetworks: readonly string[];
}

/** Makes the handlers that every worker has. */
export function createBuiltinHandlers({
  webhookSecrets,
  allowPrivateNetworks,
}: BuiltinServices): LoadedHandler[] {
  const outbound = createOutbound(openGuardedAgent(createAddressPolicy(allowPrivateNetworks)));
  return [
    { ...loadedHandler(defineHttpRequest(outbound, webhookSecrets)), rawField: 'body' },
    loadedHandler(defineWebhookDeliver(outbound, webhookSecrets)),
  ];
}

function loadedHandler(definition: JobDefinition): LoadedHandler {
  return { type: definition.type, queue: definition.queue, definition };
}
