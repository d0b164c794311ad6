import { lowerOwnPriority } from '@accepted/shared/runtime/threads/lower-priority';
import { isQuickSchema } from '../catalog/quick-schema.ts';
import { createLargeBodyReader, type LargeBody } from './large-bodies.ts';
import { createLargePayloadInspector, type LargePayload } from './large-payloads.ts';

/** A schema of which is asked whether checks by it are quick. */
export interface SchemaToJudge {
  schemaToJudge: object;
}

// Runs in threads of its own, which `check-threads.ts` starts, ends and gives work to.

const readLargeBody = createLargeBodyReader();
const inspectLargePayload = createLargePayloadInspector();

export type Work = LargeBody | LargePayload | SchemaToJudge;

/** `begun` is set, and whoever waits for that notified, as the work begins. */
export default function work(task: Work & { begun: Int32Array }) {
  Atomics.store(task.begun, 0, 1);
  Atomics.notify(task.begun, 0);
  if ('schemaToJudge' in task) return isQuickSchema(task.schemaToJudge);
  return 'row' in task ? inspectLargePayload(task) : readLargeBody(task);
}

lowerOwnPriority();
