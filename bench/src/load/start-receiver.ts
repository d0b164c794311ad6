import { request } from 'undici';
import { spawnProgram } from '../world/spawn-program.ts';

/** A receiver of webhooks in a process of its own, on loopback. */
export interface Receiver extends AsyncDisposable {
  readonly url: string;
  countReceived(): Promise<number>;
}

export async function startReceiver(): Promise<Receiver> {
  const process = spawnProgram('bench/src/load/receiver-process.ts');
  const line = await process.waitForLine(/listening on \d+/);
  const url = `http://127.0.0.1:${line.match(/\d+/)?.[0]}/`;
  return {
    url,
    async countReceived() {
      const { body } = await request(url);
      return Number(await body.text());
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
