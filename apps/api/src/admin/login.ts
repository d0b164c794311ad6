import formBody from '@fastify/formbody';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { loginPage, logoutPage } from './login-page.ts';
import { PAGE_CSP } from './page.ts';
import { createSlowTries } from './slow-tries.ts';

const HOME = '/admin/queues';
const MAX_BODY_BYTES = 4_096;
const TRIES = { free: 10, windowMs: 60_000, everyMs: 2_000, maxWaiting: 10 };
/** When all that wait have had their turn. */
const RETRY_AFTER_SECONDS = 20;

/** `/admin/login` and `/admin/logout`, for people in a browser. */
export const login: FastifyPluginAsync = async (app) => {
  const options = { schema: { hide: true }, bodyLimit: MAX_BODY_BYTES };
  await app.register(formBody);
  const tries = createSlowTries(TRIES);

  /**
   * A browser that has logged in before has a line of its own: a crowd of wrong tries from its address is not before it.
   * Strangers cannot be spared the line by being right: if a right password passed at once while wrong ones wait, the
   * missing answer would tell that a guess was wrong, and nobody would have to wait for his next one.
   */
  const whoTries = (request: FastifyRequest) => app.adminSession.knownBrowser(request) ?? request.ip;

  app.get('/admin', options, (_request, reply) => reply.redirect(HOME, 303));

  app.get('/admin/login', options, (request, reply) =>
    app.adminSession.isOpen(request) ? reply.redirect(HOME, 303) : sendPage(reply, loginPage()),
  );

  app.post('/admin/login', options, async (request, reply) => {
    const who = whoTries(request);
    if (!(await tries.turn(who))) {
      reply.code(429).header('retry-after', RETRY_AFTER_SECONDS);
      return sendPage(reply, loginPage('Too many tries at once. Try again in a while.'));
    }
    if (!app.adminSession.isPassword(passwordOf(request.body))) {
      tries.wasWrong(who);
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
