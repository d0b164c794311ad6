import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { parseExactly } from '@accepted/shared/core/json/exact-numbers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attempt } from '../testing/attempt.ts';
import { outboundTo } from '../testing/outbound.ts';
import { createBuiltinHandlers } from './create-builtin-handlers.ts';

const [httpRequest] = createBuiltinHandlers({
  webhookSecrets: async () => [],
  outbound: outboundTo('127.0.0.1/32'),
});
if (!httpRequest) throw new Error('The built-in handler is missing.');

/** Sees and sends bytes, as an HTTP server would correct what is to be seen here. */
let server: Server;
let received: string;
let reply: (socket: Socket) => void;

beforeEach(async () => {
  received = '';
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      received += bytes;
      reply(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => server.close());

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';
const okJson = (text: string) =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`;
const sends = (text: string) => {
  reply = (socket) => socket.end(text);
};

async function call(payloadJson: string) {
  const { port } = server.address() as AddressInfo;
  const payload = parseExactly(payloadJson.replace('{', `{"url":"http://127.0.0.1:${port}/",`));
  const result = await attempt(httpRequest as never, { payload });
  return 'resultJson' in result ? result.resultJson : result;
}

describe('numbers that a double would change', () => {
  const digits = '{"id":3889108265204450030,"rate":0.1000000000000000055,"list":[9007199254740993,1]}';

  it('go out digit by digit', async () => {
    sends(OK);
    expect(await call(`{"method":"POST","body":${digits}}`)).toContain('"status":200');
    expect(received.endsWith(`\r\n\r\n${digits}`)).toBe(true);
    expect(received).toContain(`content-length: ${digits.length}`.replace('c', 'C').replace('-l', '-L'));
  });

  it('go out as text where the payload takes text', async () => {
    sends(OK);
    const payload = `{"method":"POST","headers":{"x-id":3889108265204450030},"body":${digits}}`;
    expect(await call(payload)).toContain('"status":200');
    expect(received).toContain('\r\nx-id: 3889108265204450030\r\n');
    expect(received.endsWith(`\r\n\r\n${digits}`)).toBe(true);
    expect(await call('{"body":3889108265204450030}')).toContain('"status":200');
    expect(received.endsWith('\r\n\r\n3889108265204450030')).toBe(true);
  });

  it('are told as the text that they are where the payload takes none', async () => {
    expect(await call('{"timeoutMs":3889108265204450030}')).toMatchObject({
      kind: 'threw',
      error: { code: 'invalid_payload', message: expect.stringContaining('received string') },
    });
  });

  it('come back digit by digit in the result', async () => {
    sends(okJson(digits));
    expect(await call('{"method":"GET"}')).toContain(`"body":${digits}`);
  });
});

describe('a reply of JSON', () => {
  const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

  it.each([65, 2_000, 20_000])('is kept as text, and fails no job, when nested %i deep', async (levels) => {
    sends(okJson(nested(levels)));
    expect(await call('{"method":"GET"}')).toContain(`"body":"${nested(levels)}","bodyEncoding":"text"`);
  });

  it.each(['{"n":1e999}', '{"__proto__":{"a":1}}', nested(64), `[3889108265204450030,${nested(63)}]`])(
    'is kept as it is: %s',
    async (sent) => {
      sends(okJson(sent));
      expect(await call('{"method":"GET"}')).toContain(`"body":${sent},"bodyEncoding":"json"`);
    },
  );
});

describe('replies before the reply', () => {
  const interim = (status: string, times = 1) => `HTTP/1.1 ${status}\r\n\r\n`.repeat(times);

  it.each(['100 Continue', '102 Processing', '103 Early Hints'])(
    '%s is passed over though nobody asked',
    async (status) => {
      sends(interim(status) + OK);
      expect(await call('{"method":"POST","body":"x"}')).toMatch(/"status":200.*"body":"ok"/);
    },
  );

  it('are passed over up to ten', async () => {
    sends(interim('100 Continue', 10) + OK);
    expect(await call('{"method":"GET"}')).toContain('"body":"ok"');
  });

  it('are too many from the eleventh on', async () => {
    reply = (socket) => socket.write(interim('103 Early Hints', 11));
    const error = { code: 'network_error', retryable: true, message: expect.stringContaining('10 interim') };
    expect(await call('{"method":"GET"}')).toMatchObject({ kind: 'threw', error });
  });

  it('that switch to another protocol fail the call', async () => {
    sends(interim('101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other'));
    expect(await call('{"method":"GET"}')).toMatchObject({ kind: 'threw', error: { code: 'network_error' } });
  });
});
