import type { JobDefinition } from '@accepted/job';
import type { Outbound } from '../../outbound/guarded-request.ts';
import type { LoadedHandler } from '../loaded-handler.ts';
import { defineHttpRequest } from './http-request.ts';
import type { WebhookSecrets } from './signed-headers.ts';
import { defineWebhookDeliver } from './webhook-deliver.ts';

export interface BuiltinServices {
  webhookSecrets: WebhookSecrets;
  outbound: Outbound;
}

/** Makes the handlers that every worker has. */
export function createBuiltinHandlers({ webhookSecrets, outbound }: BuiltinServices): LoadedHandler[] {
  return [
    { ...loadedHandler(defineHttpRequest(outbound, webhookSecrets)), rawField: 'body' },
    loadedHandler(defineWebhookDeliver(outbound, webhookSecrets)),
  ];
}

function loadedHandler(definition: JobDefinition): LoadedHandler {
  return { type: definition.type, queue: definition.queue, definition };
}
