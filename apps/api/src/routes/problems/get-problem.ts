import { isProblemCode } from '@accepted/shared/contract/problems';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Problem } from '../../http/problem.ts';
import { openAnswers } from '../../schemas/describe-route.ts';
import { problemIndexPage, problemPage } from './problem-page.ts';

const HTML = 'text/html; charset=utf-8';

const listSchema = {
  operationId: 'listProblems',
  summary: 'List the problems that answers can carry',
  description: 'Every `code` that an answer can have, with what it means.',
  tags: ['operations'],
  response: openAnswers({ 200: { description: 'A page for people.', mediaType: 'text/html' } }, []),
};

const schema = {
  summary: 'Explain a problem',
  description: 'What the `type` of a problem leads to.',
  tags: ['operations'],
  params: Type.Object({ code: Type.String({ description: 'The `code` of a problem.' }) }),
  response: openAnswers({ 200: { description: 'A page for people.', mediaType: 'text/html' } }, [
    'not_found',
  ]),
};

/** `GET /problems` and `GET /problems/{code}`: the pages that problems lead to. */
export const getProblem: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/problems', { schema: listSchema }, async (_request, reply) =>
    reply.type(HTML).send(problemIndexPage()),
  );
  app.get('/problems/:code', { schema }, async (request, reply) => {
    const { code } = request.params;
    if (!isProblemCode(code)) throw new Problem('not_found', { detail: 'There is no problem of this code.' });
    return reply.type(HTML).send(problemPage(code));
  });
};
