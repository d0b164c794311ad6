import { readdirSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { getPriority } from 'node:os';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { OutboundRequest } from './guarded-request.ts';
import { createThreadedOutbound, type ThreadOptions } from './threaded-outbound.ts';

let server: Server;
let url: string;
let behave: RequestListener = (_request, response) => response.end('ok');

beforeAll(async () => {
  server = createServer((request, response) => behave(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const MORTAL = { program: new URL('./testing/mortal-thread.ts', import.meta.url) };

function setUp(options: Partial<ThreadOptions> = {}) {
  const warnings: unknown[] = [];
  const outbound = createThreadedOutbound({
    allowPrivateNetworks: ['127.0.0.1/32'],
    logger: { warn: (fields: unknown) => void warnings.push(fields) },
    ...options,
  });
  const call = (request: Partial<OutboundRequest> = {}) =>
    outbound({
      method: 'GET',
      url,
      headers: {},
      body: undefined,
      timeoutMs: 20_000,
      signal: new AbortController().signal,
      ...request,
    });
  return { call, warnings };
}

describe('a call from the thread', () => {
  it.each([0, 5, 60_000])('sends what it is given and brings %i bytes of body back', async (size) => {
    const bytes = Buffer.alloc(size, 'é');
    behave = async (request, response) => {
      response.writeHead(201, {
        'x-got': `${request.method} ${request.headers['x-a']}`,
        'x-two': ['1', '2'],
      });
      response.end((await text(request)) === 'sent €' ? bytes : 'another body');
    };
    const { call } = setUp();
    const reply = await call({ method: 'POST', headers: { 'x-a': 'b' }, body: 'sent €' });
    expect(reply).toMatchObject({ status: 201, truncated: false, durationMs: expect.any(Number) });
    expect(reply.headers).toMatchObject({ 'x-got': 'POST b', 'x-two': ['1', '2'] });
    expect(bytes.equals(reply.body)).toBe(true);
  });

  it('is refused, fails and times out as one from this thread', async () => {
    const { call } = setUp();
    behave = () => undefined;
    await expect(call({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'request_timeout' });
    await expect(call({ url: 'ftp://127.0.0.1/' })).rejects.toMatchObject({ code: 'url_not_allowed' });
    await expect(call({ url: 'http://127.0.0.2/' })).rejects.toMatchObject({ code: 'address_not_allowed' });
    await expect(call({ url: 'http://127.0.0.1:1/' })).rejects.toMatchObject({
      code: 'network_error',
      message: 'The call failed: connect ECONNREFUSED 127.0.0.1:1',
      cause: { stack: expect.stringContaining('afterConnect') },
    });
  });

  it('that is aborted rejects with the reason, and lets go of its connection', async () => {
    const controller = new AbortController();
    const hungUp = new Promise<void>((resolve) => {
      behave = (request) => {
        request.socket.once('close', () => resolve());
        controller.abort(new DOMException('The job was canceled.', 'AbortError'));
      };
    });
    const outcome = setUp().call({ signal: controller.signal });
    await expect(outcome).rejects.toMatchObject({ name: 'AbortError', message: 'The job was canceled.' });
    await hungUp;
  });

  it('is not made once its signal is aborted', async () => {
    let calls = 0;
    behave = (_request, response) => {
      calls += 1;
      response.end(String(calls));
    };
    const { call } = setUp();
    await expect(call({ signal: AbortSignal.abort(new Error('over')) })).rejects.toThrow('over');
    expect(String((await call()).body)).toBe('1');
  });
});

describe('a thread that ends', () => {
  it('fails the calls under way as worth another try, and the next call is made by a new one', async () => {
    const { call, warnings } = setUp(MORTAL);
    const begun = new Promise<void>((resolve) => {
      behave = () => resolve();
    });
    const underWay = call();
    await begun;
    const killing = call({ url: `${url}/die` });
    const lost = { code: 'network_error', message: 'The thread that makes calls has ended.' };
    await expect(underWay).rejects.toMatchObject(lost);
    await expect(killing).rejects.toMatchObject(lost);
    expect(warnings).toMatchObject([{ err: { message: 'This thread was asked to die.' } }]);
    behave = (_request, response) => response.end('again');
    expect(String((await call()).body)).toBe('again');
  });

  it('is ended when it leaves a call unanswered', async () => {
    const { call, warnings } = setUp({ ...MORTAL, stuckAfterMs: 100 });
    await expect(call({ url: `${url}/hang`, timeoutMs: 1 })).rejects.toMatchObject({ code: 'network_error' });
    expect(warnings).toHaveLength(1);
    behave = (_request, response) => response.end('again');
    expect(String((await call()).body)).toBe('again');
  });
});

it.runIf(process.platform === 'linux')('the thread gives way to all others of its process', async () => {
  behave = (_request, response) => response.end('ok');
  const nicer = () => readdirSync('/proc/self/task').filter((id) => getPriority(Number(id)) > getPriority());
  const before = nicer();
  await setUp().call();
  expect(nicer().length).toBe(before.length + 1);
});

/** Sends without end to whoever connects. */
async function pour(start: string, more: string): Promise<string> {
  const hostile = createTcpServer((socket) => {
    const again = () => {
      while (!socket.destroyed && socket.write(more));
    };
    socket.on('error', () => undefined).on('drain', again);
    socket.once('data', () => {
      socket.write(start);
      again();
    });
  });
  await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void hostile.close());
  return `http://127.0.0.1:${(hostile.address() as AddressInfo).port}/`;
}

it.each([
  ['interim replies', '', 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n'.repeat(200)],
  [
    'extensions of chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    `1;${'x'.repeat(10_000)}\r\na\r\n`,
  ],
])(
  'twelve receivers that send %s without end, again and again, keep no other call',
  async (_what, start, more) => {
    const hostile = await pour(start, more);
    behave = (_request, response) => response.end('served');
    const { call } = setUp();
    const over = new AbortController();
    let cutOff = 0;
    const attacker = async () => {
      while (!over.signal.aborted) {
        await expect(call({ url: hostile })).rejects.toMatchObject({ code: 'network_error' });
        cutOff += 1;
      }
    };
    const attackers = Promise.all(Array.from({ length: 12 }, attacker));
    for (let served = 0; served < 20; served += 1) {
      expect(String((await call({ timeoutMs: 5_000 })).body)).toBe('served');
      await delay(20);
    }
    over.abort();
    await attackers;
    expect(cutOff).toBeGreaterThan(12);
  },
  30_000,
);
