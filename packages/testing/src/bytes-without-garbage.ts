import { once } from 'node:events';
import { residentBytes } from './resident-bytes.ts';
import type { SpawnedProcess } from './spawn-process.ts';

/** One collection frees what another was held by. */
const COLLECTIONS = 2;

/**
 * Has a process that was started with `--inspect` collect its garbage, and reads how much memory it holds then: how much of
 * it is left to the next collection differs by a hundred megabytes from one moment to the next.
 */
export async function bytesWithoutGarbage(process: SpawnedProcess): Promise<number> {
  const line = await process.waitForLine(/Debugger listening on ws:/);
  const inspector = new WebSocket(line.replace(/^.*(ws:\S+).*$/, '$1'));
  const failed = once(inspector, 'error').then(() => {
    throw new Error('The inspector of the process does not answer.');
  });
  await Promise.race([once(inspector, 'open'), failed]);
  for (let id = 1; id <= COLLECTIONS; id += 1) {
    inspector.send(JSON.stringify({ id, method: 'HeapProfiler.collectGarbage' }));
    await once(inspector, 'message');
  }
  inspector.close();
  return await residentBytes(process.pid);
}
