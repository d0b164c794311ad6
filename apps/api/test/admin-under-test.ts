import type { LightMyRequestResponse } from 'fastify';
import type { ApiUnderTest } from './api-under-test.ts';

export const PASSWORD = 'correct horse battery';
export const ORIGIN = { origin: 'https://jobs.test' };
export const PAGE = { accept: 'text/html' };

/** Logs in to the board as its page does. */
export async function logIn(
  api: ApiUnderTest,
  password = PASSWORD,
  headers: Record<string, string> = ORIGIN,
) {
  return await api.app.inject({
    method: 'POST',
    url: '/admin/login',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: new URLSearchParams({ password }).toString(),
  });
}

/** What a browser sends along once it has logged in. */
export function cookieOf(reply: LightMyRequestResponse): { cookie: string } {
  const [cookie] = reply.cookies;
  return { cookie: `${cookie?.name}=${encodeURIComponent(cookie?.value ?? '')}` };
}
