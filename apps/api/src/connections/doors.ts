import type { IncomingMessage, ServerResponse } from 'node:http';
import { createDoor, type Door, type DoorBounds } from './door.ts';

/** What is submitted has a door of its own: neither keeps the other out. */
export type DoorName = 'submit' | 'other';

export interface Doors {
  of(request: IncomingMessage): Door;
  /** Gives the place back of a request that waits for something else than this process. One that was answered does it by itself. */
  leave(response: ServerResponse): void;
  readonly byName: Readonly<Record<DoorName, Door>>;
  close(): void;
}

export function createDoors(bounds: DoorBounds): Doors {
  const byName = { submit: createDoor(bounds), other: createDoor(bounds) };
  const all = Object.values(byName);
  return {
    of: ({ method }) => (method === 'POST' ? byName.submit : byName.other),
    leave(response) {
      for (const door of all) door.leave(response);
    },
    byName,
    close() {
      for (const door of all) door.close();
    },
  };
}
