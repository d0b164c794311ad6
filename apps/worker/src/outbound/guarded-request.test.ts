import type { lookup as systemLookup } from 'node:dns';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createAddressPolicy } from './address-policy.ts';
import { openGuardedAgent } from './guarded-agent.ts';
import { createOutbound, type OutboundReply } from './guarded-request.ts';

/** Nobody may ever reach it: what must not be reachable listens on 127.0.0.1 and ::1. */
let canary: Server;
let canaryHits = 0;
/** May be reached, as 127.0.0.2 is allowed. */
let receiver: Server;
let behave: RequestListener = (_request, response) => response.end();
const portOf = (server: Server) => (server.address() as AddressInfo).port;

beforeAll(async () => {
  // Listening on every address of the machine, IPv6 too, it catches whatever form an address takes.
  canary = await listen('::', (_request, response) => {
    canaryHits += 1;
    response.end('secret');
  });
  receiver = await listen('127.0.0.2', (request, response) => behave(request, response));
});
afterAll(() => {
  canary.close();
  receiver.close();
  receiver.closeAllConnections();
});

function listen(host: string, listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  return new Promise((resolve) => server.listen(0, host, () => resolve(server)));
}

function call(
  url: string,
  options: { timeoutMs?: number; signal?: AbortSignal; lookup?: typeof systemLookup } = {},
): Promise<OutboundReply> {
  const { timeoutMs = 5_000, signal = new AbortController().signal, lookup } = options;
  const outbound = createOutbound(openGuardedAgent(createAddressPolicy(['127.0.0.2/32']), lookup));
  return outbound({ method: 'GET', url, headers: {}, body: undefined, timeoutMs, signal });
}

const receiverUrl = () => `http://127.0.0.2:${portOf(receiver)}/path`;

describe('a host that nothing listens on', () => {
  it('is told with every address that was tried, and its code', async () => {
    const { port } = await closedPort();
    const both = [
      { address: '127.0.0.2', family: 4 },
      { address: '127.0.0.3', family: 4 },
    ];
    const lookup = ((_host, _options, callback) =>
      (callback as (error: null, addresses: unknown[]) => void)(null, both)) as typeof systemLookup;
    const policy = createAddressPolicy(['127.0.0.0/8']);
    const outbound = createOutbound(openGuardedAgent(policy, lookup));
    const url = `http://two.example:${port}/`;
    const signal = new AbortController().signal;
    await expect(
      outbound({ method: 'GET', url, headers: {}, body: undefined, timeoutMs: 5_000, signal }),
    ).rejects.toMatchObject({
      code: 'network_error',
      message: `The call failed: connect ECONNREFUSED 127.0.0.2:${port}; connect ECONNREFUSED 127.0.0.3:${port}`,
    });
  });
});

async function closedPort(): Promise<{ port: number }> {
  const server = await listen('127.0.0.2', () => undefined);
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return { port };
}

describe('the guard', () => {
  it.each([
    '127.0.0.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.1',
    '0x7f.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '0.0.0.0',
    '0',
    '[::]',
    'localhost',
    '127.0.0.3',
    '１２７.0.0.1',
    '①②⑦.⓪.⓪.①',
    '%31%32%37.0.0.1',
    '127.0.0.1.',
    '017700000001',
    '0x7f.0x0.0x0.0x1',
    '[0:0:0:0:0:ffff:127.0.0.1]',
    '[::ffff:0:127.0.0.1]',
  ])('never lets a call through to this machine as %s', async (host) => {
    await expect(call(`http://${host}:${portOf(canary)}/`)).rejects.toMatchObject({
      code: 'address_not_allowed',
    });
    expect(canaryHits).toBe(0);
  });

  it.each([
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '168.63.129.16',
    '224.0.0.1',
    '255.255.255.255',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '[100:0:0:1::1]',
    '[ff02::1]',
  ])('refuses %s, which is not on the public internet', async (host) => {
    await expect(call(`https://${host}/`)).rejects.toMatchObject({ code: 'address_not_allowed' });
  });

  it.each([
    'ftp://127.0.0.2/',
    'file:///etc/passwd',
    'http://user:secret@127.0.0.2/',
    'http://user@127.0.0.2/',
    'nowhere',
    '//127.0.0.2/',
    'data:,x',
  ])('refuses the URL %s', async (url) => {
    await expect(call(url)).rejects.toMatchObject({ code: 'url_not_allowed' });
  });
});

describe('a receiver outside', () => {
  it.each([300, 301, 302, 303, 307, 308])('cannot redirect a call inside by %i', async (status) => {
    behave = (_request, response) =>
      response
        .writeHead(status, { location: `http://127.0.0.1:${portOf(canary)}/`, refresh: '0' })
        .end('moved');
    expect(await call(receiverUrl())).toMatchObject({ status, body: Buffer.from('moved') });
    expect(canaryHits).toBe(0);
  });

  it('cannot have a call sent by way of a proxy that the environment names', async () => {
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${portOf(canary)}`);
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    behave = (_request, response) => response.end('outside');
    expect(String((await call(receiverUrl())).body)).toBe('outside');
    expect(canaryHits).toBe(0);
    vi.unstubAllEnvs();
  });

  it('gains nothing from a name that answers with another address the second time', async () => {
    // The canary listens on the same port number of every address, so that only the guard is in the way.
    behave = (_request, response) => response.setHeader('connection', 'close').end('outside');
    let lookups = 0;
    const rebinding = ((
      _name: string,
      _options: object,
      callback: (error: null, found: object[]) => void,
    ) => {
      lookups += 1;
      callback(null, [{ address: lookups % 2 === 1 ? '127.0.0.2' : '127.0.0.1', family: 4 }]);
    }) as typeof systemLookup;
    const url = `http://rebinding.example:${portOf(receiver)}/`;
    const inside = await listenOn('127.0.0.1', portOf(receiver));
    const ends = [];
    for (let i = 0; i < 6; i++) {
      ends.push(
        await call(url, { lookup: rebinding }).then(
          (reply) => String(reply.body),
          (error) => error.code,
        ),
      );
    }
    expect(new Set(ends)).toEqual(new Set(['outside', 'address_not_allowed']));
    expect(lookups).toBe(6);
    expect(canaryHits).toBe(0);
    inside.close();
  });

  it('is called at the allowed ones of its several addresses only', async () => {
    behave = (_request, response) => response.end('outside');
    const both = ((_name: string, _options: object, callback: (error: null, found: object[]) => void) =>
      callback(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 },
      ])) as typeof systemLookup;
    const inside = await listenOn('127.0.0.1', portOf(receiver));
    expect(String((await call(`http://two.example:${portOf(receiver)}/`, { lookup: both })).body)).toBe(
      'outside',
    );
    expect(canaryHits).toBe(0);
    inside.close();
  });
});

function listenOn(host: string, port: number): Promise<Server> {
  const server = createServer((_request, response) => {
    canaryHits += 1;
    response.end('secret');
  });
  return new Promise((resolve, reject) =>
    server.on('error', reject).listen(port, host, () => resolve(server)),
  );
}

describe('a hostile receiver', () => {
  it('that replies with a gigabyte is cut off at 64 KiB', async () => {
    behave = (_request, response) => {
      const chunk = Buffer.alloc(1 << 20, 'x');
      const pour = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', pour);
      pour();
    };
    const reply = await call(receiverUrl());
    expect(reply.truncated).toBe(true);
    expect(reply.body.length).toBe(65_536);
  });

  it('that drips for ever is cut off at the timeout', async () => {
    behave = (_request, response) => {
      const drip = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(drip));
    };
    await expect(call(receiverUrl(), { timeoutMs: 100 })).rejects.toMatchObject({ code: 'request_timeout' });
  });

  it('that never answers is cut off at the timeout', async () => {
    behave = () => undefined;
    await expect(call(receiverUrl(), { timeoutMs: 50 })).rejects.toMatchObject({ code: 'request_timeout' });
  });

  it('that sends a gzip bomb gets it kept as it came', async () => {
    const bomb = gzipSync(Buffer.alloc(20 << 20));
    behave = (_request, response) => response.setHeader('content-encoding', 'gzip').end(bomb);
    expect(await call(receiverUrl())).toMatchObject({ truncated: false, body: bomb });
  });

  it('that hangs up is a network error', async () => {
    behave = (request) => request.socket.destroy();
    await expect(call(receiverUrl())).rejects.toMatchObject({ code: 'network_error' });
  });

  it('does not keep an attempt that is aborted', async () => {
    const controller = new AbortController();
    behave = () => controller.abort(new DOMException('The job was canceled.', 'AbortError'));
    const outcome = call(receiverUrl(), { signal: controller.signal });
    await expect(outcome).rejects.toMatchObject({ name: 'AbortError', message: 'The job was canceled.' });
  });
});
