import formBody from '@fastify/formbody';
import rateLimit from '@fastify/rate-limit';
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import { loginPage, logoutPage } from './login-page.ts';
import { PAGE_CSP } from './page.ts';

const HOME = '/admin/queues';
const MAX_BODY_BYTES = 4_096;
const MAX_TRIES = 10;
const TRIES_WINDOW_MS = 60_000;

/** `/admin/login` and `/admin/logout`, for people in a browser. */
export const login: FastifyPluginAsync = async (app) => {
  const options = { schema: { hide: true }, bodyLimit: MAX_BODY_BYTES };
  await app.register(formBody);
  await app.register(rateLimit, { global: false });
  const countTry = app.createRateLimit({ max: MAX_TRIES, timeWindow: TRIES_WINDOW_MS });

  app.get('/admin', options, (_request, reply) => reply.redirect(HOME, 303));

  app.get('/admin/login', options, (request, reply) =>
    app.adminSession.isOpen(request) ? reply.redirect(HOME, 303) : sendPage(reply, loginPage()),
  );

  app.post('/admin/login', options, async (request, reply) => {
    const tried = await countTry(request);
    if (!tried.isAllowed && tried.isExceeded) {
      reply.code(429).header('retry-after', tried.ttlInSeconds);
      return sendPage(reply, loginPage('Too many tries. Wait a minute.'));
    }
    if (!app.adminSession.isPassword(passwordOf(request.body))) {
      request.log.warn({ ip: request.ip }, 'a login with a wrong admin password');
      return sendPage(reply.code(401), loginPage('This is not the password.'));
    }
    app.adminSession.start(reply);
    return reply.redirect(HOME, 303);
  });

  app.get('/admin/logout', options, (_request, reply) => sendPage(reply, logoutPage()));

  app.post('/admin/logout', options, (_request, reply) => {
    app.adminSession.end(reply);
    return reply.redirect('/admin/login', 303);
  });
};

function sendPage(reply: FastifyReply, page: string): FastifyReply {
  return reply.header('content-security-policy', PAGE_CSP).type('text/html; charset=utf-8').send(page);
}

function passwordOf(body: unknown): string {
  if (typeof body !== 'object' || body === null || !('password' in body)) return '';
  return typeof body.password === 'string' ? body.password : '';
}
