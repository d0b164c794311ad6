/**
 * Names the engine queue of a lane: what the workers of one build take from a queue. No queue has a `.` in its name, so a
 * lane is never taken for a queue, nor for its dead letters. Workers of the version before builds have the queue itself.
 */
export function laneName(queue: string, buildId: string | null): string {
  return buildId === null ? queue : `${queue}.${buildId}`;
}
