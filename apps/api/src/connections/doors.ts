import type { IncomingMessage, ServerResponse } from 'node:http';
import { createDoor, type Door, type DoorBounds } from './door.ts';

/** What is submitted, what waits for a job to end, and all else: none of them keeps another out. */
export type DoorName = 'submit' | 'wait' | 'other';

export interface Doors {
  of(request: IncomingMessage): Door;
  /** Gives the place back of a request that waits for something else than this process. One that was answered does it by itself. */
  leave(response: ServerResponse): void;
  readonly byName: Readonly<Record<DoorName, Door>>;
  close(): void;
}

/** Who waits for a job takes hardly any time before, and they come by the thousand. */
const MOST_WAITING_TO_WAIT = 10_000;

export function createDoors(bounds: DoorBounds): Doors {
  const byName = {
    submit: createDoor(bounds),
    wait: createDoor({ ...bounds, mostWaiting: MOST_WAITING_TO_WAIT }),
    other: createDoor(bounds),
  };
  const all = Object.values(byName);
  return {
    of({ method, headers }) {
      if (method === 'POST') return byName.submit;
      return headers.prefer === undefined ? byName.other : byName.wait;
    },
    leave(response) {
      for (const door of all) door.leave(response);
    },
    byName,
    close() {
      for (const door of all) door.close();
    },
  };
}
