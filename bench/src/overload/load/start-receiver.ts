import { request } from 'undici';
import { spawnProgram } from '../../world/spawn-program.ts';

/** One request to a receiver. */
export interface Received {
  /** The number of the job that it is of. */
  n: number;
  /** Milliseconds since 1970. */
  at: number;
  /** Whether the same was sent before. */
  isAgain: boolean;
}

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  listReceived(): Promise<Received[]>;
}

/** Starts a receiver, in a process of its own, that fails from one moment to another: milliseconds since 1970. */
export async function startReceiver(fails: { from: number; until: number }): Promise<Receiver> {
  const process = spawnProgram('bench/src/overload/load/receiver-process.ts', {
    args: [String(fails.from), String(fails.until)],
  });
  const line = await process.waitForLine(/listening on \d+/);
  const url = `http://127.0.0.1:${line.match(/\d+/)?.[0]}/`;
  return {
    url,
    async listReceived() {
      const { body } = await request(url);
      return (await body.json()) as Received[];
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
