import type { Lane } from './engine.ts';

/** Names the BullMQ queue of a lane. No queue has a `.` in its name, so a lane is never taken for a queue, nor for a shelf. */
export function laneName({ queue, buildId }: Lane): string {
  return buildId === null ? queue : `${queue}.${buildId}`;
}

/** Names the BullMQ queue in which Bull Board shows the dead letters of `queue`. */
export function shelfName(queue: string): string {
  return `${queue}-dead`;
}
