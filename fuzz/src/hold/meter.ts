import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';

/** Asks the meter that is preloaded into the API. */
export interface Meter {
  begin(): Promise<void>;
  /** Answers the most processor time that one turn of the event loop took since, in milliseconds. */
  end(): Promise<number>;
  close(): void;
}

export function createMeter(port: number): Meter {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = async (word: string) => {
    const request = get({ agent, host: '127.0.0.1', port, path: `/${word}` });
    const [response] = await once(request, 'response');
    return await text(response);
  };
  return {
    begin: async () => void (await ask('begin')),
    end: async () => Number(await ask('end')),
    close: () => agent.destroy(),
  };
}
