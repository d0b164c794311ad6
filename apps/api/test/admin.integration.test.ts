import type { LightMyRequestResponse } from 'fastify';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { cookieOf, logIn, ORIGIN, PAGE, PASSWORD } from './admin-under-test.ts';
import { type ApiUnderTest, startApi } from './api-under-test.ts';

/** What stays with a browser that has logged in, also when its session has ended. */
function browserOf(reply: LightMyRequestResponse): { cookie: string } {
  const cookie = reply.cookies.find(({ name }) => name === 'accepted_admin_browser');
  return { cookie: `${cookie?.name}=${encodeURIComponent(cookie?.value ?? '')}` };
}

test('without a password there is no Bull Board and no login', async () => {
  await using api = await startApi();

  for (const url of ['/admin', '/admin/login', '/admin/queues', '/admin/queues/api/queues']) {
    const reply = await api.send('GET', url);
    expect([reply.statusCode, reply.json().code]).toEqual([404, 'not_found']);
  }
});

describe('the login', () => {
  let api: ApiUnderTest;
  beforeEach(async () => {
    api = await startApi({ ADMIN_PASSWORD: PASSWORD });
  });
  afterEach(async () => {
    vi.useRealTimers();
    await api[Symbol.asyncDispose]();
  });
  const read = (headers: Record<string, string>) => api.send('GET', '/admin/queues/api/queues', { headers });

  test('everything below it asks for it, and an API key is not one', async () => {
    const page = await api.send('GET', '/admin/queues', { headers: PAGE });
    expect([page.statusCode, page.headers.location]).toEqual([303, '/admin/login']);
    for (const path of ['', '/', '/queue/default', '/api/queues', '/static/favicon-32x32.png']) {
      expect((await api.send('GET', `/admin/queues${path}`)).statusCode).toBe(401);
    }
    const retry = { method: 'PUT', url: '/admin/queues/api/queues/default-dead/dlq_1/retry' } as const;
    expect((await api.app.inject({ ...retry, headers: ORIGIN })).statusCode).toBe(401);
  });

  test('the password opens a session that no script and no other site can use', async () => {
    const reply = await logIn(api);

    expect([reply.statusCode, reply.headers.location]).toEqual([303, '/admin/queues']);
    expect(reply.cookies).toMatchObject([
      { httpOnly: true, secure: true, sameSite: 'Strict', path: '/admin', maxAge: 28_800 },
      { httpOnly: true, secure: true, sameSite: 'Strict', path: '/admin', maxAge: 31_536_000 },
    ]);
    expect((await read(cookieOf(reply))).statusCode).toBe(200);
    expect((await read(browserOf(reply))).statusCode).toBe(401);
    expect((await api.send('GET', '/admin/login', { headers: cookieOf(reply) })).statusCode).toBe(303);
  });

  test('a wrong password opens nothing', async () => {
    for (const password of ['', 'wrong', `${PASSWORD} `, PASSWORD.toUpperCase()]) {
      const reply = await logIn(api, password);
      expect([reply.statusCode, reply.cookies]).toEqual([401, []]);
      expect(reply.body).toContain('This is not the password.');
    }
  });

  test('after ten wrong tries each waits for its turn, and the right password is still taken', async () => {
    await using own = await startApi({ ADMIN_PASSWORD: PASSWORD });
    for (let n = 0; n < 10; n++) expect((await logIn(own, 'wrong')).statusCode).toBe(401);
    const startedAt = performance.now();
    expect((await logIn(own)).statusCode).toBe(303);
    expect(performance.now() - startedAt).toBeGreaterThan(1_900);
  });

  test('while ten tries of an address wait, its others are refused, right or wrong, but for browsers that have logged in before', async () => {
    await using own = await startApi({ ADMIN_PASSWORD: PASSWORD });
    await using other = await startApi({ ADMIN_PASSWORD: `${PASSWORD}2` });
    const before = await logIn(own);
    const ofOther = browserOf(await logIn(other, `${PASSWORD}2`));
    const session = { cookie: cookieOf(before).cookie.replace('accepted_admin=', 'accepted_admin_browser=') };
    for (let n = 0; n < 10; n++) await logIn(own, 'wrong');
    const waiting = Array.from({ length: 10 }, () => logIn(own, 'wrong'));

    for (const [password, cookie] of [
      [PASSWORD],
      ['wrong'],
      [PASSWORD, ofOther],
      [PASSWORD, session],
    ] as const) {
      const reply = await logIn(own, password, { ...ORIGIN, ...cookie });
      expect([reply.statusCode, reply.cookies]).toEqual([429, []]);
      expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
    }
    const startedAt = performance.now();
    expect((await logIn(own, PASSWORD, { ...ORIGIN, ...browserOf(before) })).statusCode).toBe(303);
    expect(performance.now() - startedAt).toBeLessThan(1_900);
    await Promise.all(waiting);
  }, 40_000);

  test('a browser that has logged in before is slowed down by its own wrong tries', async () => {
    await using own = await startApi({ ADMIN_PASSWORD: PASSWORD });
    const known = { ...ORIGIN, ...browserOf(await logIn(own)) };
    for (let n = 0; n < 10; n++) expect((await logIn(own, 'wrong', known)).statusCode).toBe(401);
    const startedAt = performance.now();
    expect((await logIn(own, 'wrong', known)).statusCode).toBe(401);
    expect(performance.now() - startedAt).toBeGreaterThan(1_900);
  });

  test('a session ends: by logging out, after eight hours, and with its password', async () => {
    const cookie = cookieOf(await logIn(api));
    const logout = { method: 'POST', url: '/admin/logout', headers: { ...cookie, ...ORIGIN } } as const;
    expect((await api.app.inject(logout)).cookies).toMatchObject([{ value: '', path: '/admin' }]);

    await using other = await startApi({ ADMIN_PASSWORD: `${PASSWORD}2` });
    expect((await other.send('GET', '/admin/queues/api/queues', { headers: cookie })).statusCode).toBe(401);

    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 8 * 3_600_000 - 60_000 });
    expect((await read(cookie)).statusCode).toBe(200);
    vi.setSystemTime(Date.now() + 120_000);
    expect((await read(cookie)).statusCode).toBe(401);
  });

  test('a cookie that was changed or made up opens nothing', async () => {
    const { cookie } = cookieOf(await logIn(api));
    const later = cookie.replace(/=(\d)/, (_, digit) => `=${Number(digit) + 1}`);
    for (const forged of [later, cookie.split('.')[0] ?? '', 'accepted_admin=', 'accepted_admin=9e15.x']) {
      expect(forged).not.toBe(cookie);
      expect((await read({ cookie: forged })).statusCode).toBe(401);
    }
  });

  test.each([
    ['no page', {}],
    ['another site', { origin: 'https://evil.test' }],
    ['another port', { origin: 'https://jobs.test:8443' }],
    ['a hidden origin', { origin: 'null' }],
  ])('what %s sends changes nothing', async (_, headers) => {
    expect((await logIn(api, PASSWORD, headers)).statusCode).toBe(403);
    const cookie = cookieOf(await logIn(api));
    const url = '/admin/queues/api/queues/default-dead/retry/failed';
    const reply = await api.app.inject({ method: 'PUT', url, headers: { ...cookie, ...headers } });
    expect(reply.statusCode).toBe(403);
  });
});

describe('behind a reverse proxy', () => {
  const tryFrom = async (api: ApiUnderTest, forwardedFor: string) =>
    (await logIn(api, 'wrong', { ...ORIGIN, 'x-forwarded-for': forwardedFor })).statusCode;
  const isSlow = async (request: () => Promise<number>) => {
    const startedAt = performance.now();
    await request();
    return performance.now() - startedAt > 1_900;
  };
  const useUp = async (api: ApiUnderTest, forwardedFor: (n: number) => string) => {
    for (let n = 0; n < 10; n++) expect(await tryFrom(api, forwardedFor(n))).toBe(401);
  };

  test.each(['127.0.0.0/8', '10.0.0.1, 127.0.0.1'])(
    'with TRUST_PROXY=%s tries are slowed down by client, whatever a client puts before its address',
    async (TRUST_PROXY) => {
      await using api = await startApi({ ADMIN_PASSWORD: PASSWORD, TRUST_PROXY });
      await useUp(api, (n) => `198.51.100.${n}, 203.0.113.1`);

      expect(await isSlow(() => tryFrom(api, '198.51.100.99, 203.0.113.1'))).toBe(true);
      expect(await isSlow(() => tryFrom(api, '203.0.113.2'))).toBe(false);
    },
  );

  test.each([{}, { TRUST_PROXY: '10.0.0.0/8' }])(
    'with %j the header of a stranger counts for nothing, so that nobody gets faster tries by it',
    async (settings) => {
      await using api = await startApi({ ADMIN_PASSWORD: PASSWORD, ...settings });
      await useUp(api, (n) => `203.0.113.${n}`);

      expect(await isSlow(() => tryFrom(api, '203.0.113.99'))).toBe(true);
    },
  );

  test.each(['1', 'true', 'loopback', '10.0.0.0/33', '1,', 'all'])(
    'TRUST_PROXY=%s is refused',
    async (text) => {
      await expect(startApi({ TRUST_PROXY: text })).rejects.toThrow('TRUST_PROXY is');
    },
  );
});
