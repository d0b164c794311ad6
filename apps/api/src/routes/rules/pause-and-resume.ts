import type { ProblemCode } from '@accepted/shared/contract/problems';
import { changeRules, type Ruled } from '@accepted/shared/ledger/limits/rules';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type TObject, type TSchema, Type } from 'typebox';
import { actOnce } from '../../http/act-once.ts';
import { allowNoBody } from '../../http/optional-body.ts';
import { Problem } from '../../http/problem.ts';
import { answersOnce, BODY_PROBLEMS, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { NO_REASON, Reason } from '../../schemas/reason.ts';
import { KeyHeader } from '../../schemas/request-headers.ts';

/** Something that can be paused. */
export interface Pausable<Params> {
  /** Where it is, such as `/v1/queues/:name`. */
  url: string;
  /** What its operations are named by, such as `Queue` for `pauseQueue`. */
  name: string;
  /** What it is called in a sentence, such as `a queue`. */
  called: string;
  tag: string;
  params: TObject;
  view: TSchema;
  notFound: ProblemCode;
  /** Names it for the ledger; throws a problem when there is no such thing. */
  ruled(params: Params): Promise<Ruled>;
  /** Shows it as it is now. */
  show(request: FastifyRequest, params: Params): Promise<object>;
}

const Body = Type.Object(
  { reason: Type.Optional(Reason) },
  { title: 'PauseRequest', additionalProperties: false, examples: [{ reason: 'the bank is closed' }] },
);

const TEXTS = {
  pause:
    'No job of it is started any more, within a second and everywhere; those that run go on, and jobs are accepted as before. Pausing again changes nothing. The body may be left out.',
  resume: 'Its jobs are started again, within a second. The body may be left out.',
};

/** `POST …/pause` and `POST …/resume`: they hold until the other is asked for, and stand in the audit log. */
export function pauseAndResume<Params>(app: FastifyInstance, pausable: Pausable<Params>): void {
  for (const verb of ['pause', 'resume'] as const) {
    const { url, ruled, show, notFound } = pausable;
    const options = { ...optionsOf(pausable, verb), preValidation: allowNoBody };
    app.post(`${url}/${verb}`, options, async (request: FastifyRequest, reply: FastifyReply) => {
      const params = request.params as Params;
      const { reason = NO_REASON } = request.body as { reason?: string };
      const thing = await ruled(params);
      const { status } = await actOnce(request, reply, {
        async act(tx) {
          const act = { actor: request.caller.keyId, verb, reason };
          if (!(await changeRules(tx, thing, { isPaused: verb === 'pause' }, act)))
            throw new Problem(notFound);
          return { status: 200, made: null };
        },
        keep: () => null,
        recall: () => null,
        isOperators: true,
      });
      return reply.code(status).send(await show(request, params));
    });
  }
}

function optionsOf<Params>(
  { name, called, tag, params, view, notFound }: Pausable<Params>,
  verb: 'pause' | 'resume',
) {
  return needsScope('operator', {
    operationId: `${verb}${name}`,
    summary: `${verb === 'pause' ? 'Pause' : 'Resume'} ${called}`,
    description: TEXTS[verb],
    tags: [tag],
    params,
    headers: KeyHeader,
    querystring: NoParameters,
    body: Body,
    'x-optional-body': true,
    response: answersOnce({ 200: { description: 'As it is now.', schema: view } }, [
      ...BODY_PROBLEMS,
      notFound,
    ]),
  });
}
