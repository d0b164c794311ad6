import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import cookie from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';

const COOKIE = 'accepted_admin';
const SESSION_MS = 8 * 3_600_000;
const BROWSER_COOKIE = 'accepted_admin_browser';
const BROWSER_ID = /^browser_[\w-]{22}$/;
const BROWSER_SECONDS = 365 * 86_400;

export interface AdminSessionOptions {
  password: string;
  /** Whether browsers reach this server by https alone. */
  isSecure: boolean;
}

declare module 'fastify' {
  interface FastifyInstance {
    adminSession: AdminSession;
  }
}

/** The login of the operator. A session is a signed cookie, so it holds in every API process, and ends by itself. */
export interface AdminSession {
  /** Compares without telling by its duration how much of the password was right. */
  isPassword(given: string): boolean;
  start(reply: FastifyReply): void;
  end(reply: FastifyReply): void;
  isOpen(request: FastifyRequest): boolean;
  /** Names the browser of a request, if somebody has logged in with it since the password was set; no session is needed. */
  knownBrowser(request: FastifyRequest): string | undefined;
}

/**
 * Decorates with the operator's session. The cookies are signed with a key made of the password: changing the
 * password ends every session, and nothing more has to be configured.
 */
export const adminSession = fp<AdminSessionOptions>(async (app, { password, isSecure }) => {
  // Slow on purpose: a stolen cookie must not become a quick way to try passwords offline.
  const secret = (await promisify(scrypt)(password, 'accepted admin session', 32)) as Buffer;
  await app.register(cookie, { secret });
  const attributes = { path: '/admin', httpOnly: true, sameSite: 'strict', secure: isSecure } as const;

  app.decorate('adminSession', {
    isPassword: (given) => timingSafeEqual(digest(given), digest(password)),
    start(reply) {
      const endsAt = String(Date.now() + SESSION_MS);
      reply.setCookie(COOKIE, endsAt, { ...attributes, signed: true, maxAge: SESSION_MS / 1_000 });
      const browser = `browser_${randomBytes(16).toString('base64url')}`;
      reply.setCookie(BROWSER_COOKIE, browser, { ...attributes, signed: true, maxAge: BROWSER_SECONDS });
    },
    end(reply) {
      reply.clearCookie(COOKIE, attributes);
    },
    isOpen(request) {
      const { valid, value } = request.unsignCookie(request.cookies[COOKIE] ?? '');
      return valid && Number(value) > Date.now();
    },
    knownBrowser(request) {
      const { valid, value } = request.unsignCookie(request.cookies[BROWSER_COOKIE] ?? '');
      // The session's cookie is signed with the same key, and must not pass for this one.
      return valid && BROWSER_ID.test(value ?? '') ? (value ?? undefined) : undefined;
    },
  });
});

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
