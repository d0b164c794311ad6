import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';
import { isQuickSchema } from '../submit/quick-schema.ts';
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

/** Where there is too little of it, processor time goes to those who wait for less. Linux gives each thread its own. */
function yieldToOthers(): void {
  try {
    setPriority(
      Number(basename(readlinkSync('/proc/thread-self'))),
      constants.priority.PRIORITY_BELOW_NORMAL,
    );
  } catch {
    // Elsewhere all threads of a process share alike.
  }
}

yieldToOthers();
