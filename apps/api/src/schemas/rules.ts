import { Type } from 'typebox';
import { orNull, time } from './shared-schemas.ts';

const MOST_CONCURRENCY = 1_000_000;

/** What is shown of the rules of a queue, a job type or a tenant. */
export const rulesFields = {
  concurrency: orNull(
    Type.Integer({ description: 'How many of its jobs may be in flight at once; `null`: any number.' }),
  ),
  pausedAt: orNull(
    time(
      'Since when it is paused: its jobs are accepted, and none is started; `null` while it is not paused.',
    ),
  ),
};

/** What may be in flight, as it is asked for; `null` lifts the limit. */
export const Concurrency = Type.Optional(
  Type.Unsafe<number | null>(
    orNull(
      Type.Integer({
        minimum: 1,
        maximum: MOST_CONCURRENCY,
        description: 'How many of its jobs may be in flight at once; `null`: any number.',
      }),
    ),
  ),
);

const MOST_PER_SECOND = 1_000_000;

/** How many jobs are started a second, as it is shown and asked for; `null`: as many as can be. */
export const shownStartRate = orNull(
  Type.Number({ description: 'How many of its jobs are started a second; `null`: as many as can be.' }),
);
export const askedStartRate = Type.Optional(
  Type.Unsafe<number | null>(
    orNull(
      Type.Number({
        ...{ minimum: 0.001, maximum: MOST_PER_SECOND },
        description:
          'How many of its jobs are started a second, by all workers together; the others wait. `null`: as many as can be.',
      }),
    ),
  ),
);
const MOST_A_DAY = 1_000_000_000;

/** What is shown of how fast jobs may be submitted; `null`: as fast as they come. */
export const shownRate = {
  ratePerSecond: orNull(
    Type.Number({ description: 'How many jobs may be submitted a second; `null`: any number.' }),
  ),
  burst: orNull(
    Type.Integer({
      description:
        'How many may come at once where none came for a while; `null`: as many as a second gives.',
    }),
  ),
};

/** Such a rate, as it is asked for; `null` lifts it. */
export const askedRate = {
  ratePerSecond: Type.Optional(
    Type.Unsafe<number | null>(
      orNull(
        Type.Number({
          ...{ minimum: 0.001, maximum: MOST_PER_SECOND },
          description:
            'How many jobs may be submitted a second: what comes faster is refused. `null`: any number.',
        }),
      ),
    ),
  ),
  burst: Type.Optional(
    Type.Unsafe<number | null>(
      orNull(
        Type.Integer({
          ...{ minimum: 1, maximum: MOST_PER_SECOND },
          description:
            'How many may come at once where none came for a while. `null`: as many as a second gives.',
        }),
      ),
    ),
  ),
};

/** How many jobs may be submitted a day, as it is shown and asked for. */
export const shownQuota = orNull(
  Type.Integer({ description: 'How many jobs it may submit in a day of UTC; `null`: any number.' }),
);
export const askedQuota = Type.Optional(
  Type.Unsafe<number | null>(
    orNull(
      Type.Integer({
        ...{ minimum: 0, maximum: MOST_A_DAY },
        description: 'How many jobs it may submit in a day of UTC: more are refused. `null`: any number.',
      }),
    ),
  ),
);

const MOST_BACKLOG = 1_000_000_000;

/** What is shown of a bound on live jobs. */
export const shownBacklog = (whose: string) =>
  orNull(
    Type.Integer({
      description: `How many jobs ${whose} may have that are not finished; \`null\`: any number.`,
    }),
  );

/** Such a bound, as it is asked for; `null` lifts it. */
export const askedBacklog = (whose: string) =>
  Type.Optional(
    Type.Unsafe<number | null>(
      orNull(
        Type.Integer({
          ...{ minimum: 0, maximum: MOST_BACKLOG },
          description: `How many jobs ${whose} may have that are not finished: more are refused. \`null\`: any number.`,
        }),
      ),
    ),
  );
