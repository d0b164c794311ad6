import { publicId } from '@accepted/shared/core/job/id';
import type { HotTenant } from '@accepted/shared/ledger/limits/hotspots';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';

const tenantId = Type.String({ description: 'The id of the tenant, `ten_…`.' });
const jobsPerSecond = Type.Number({
  description:
    'At least so many jobs of it come a second, refused ones among them. Up to a hundredth of all that comes may be missing.',
});

const Hotspots = Type.Object(
  {
    tenants: Type.Array(
      Type.Object(
        { tenantId, jobsPerSecond },
        { title: 'HotTenant', additionalProperties: false, description: 'A tenant that much comes from.' },
      ),
      { description: 'The ten tenants that submit most, the most first.' },
    ),
    concurrencyKeys: Type.Array(
      Type.Object(
        {
          tenantId,
          concurrencyKey: Type.String({
            description: 'The key; as many of its jobs run at once as their type says.',
          }),
          jobsPerSecond,
        },
        {
          title: 'HotConcurrencyKey',
          additionalProperties: false,
          description: 'A concurrency key that much comes for.',
        },
      ),
      { description: 'The ten concurrency keys that most is submitted for, the most first.' },
    ),
  },
  {
    title: 'Hotspots',
    additionalProperties: false,
    description:
      'Where most of what comes of late comes from. What comes less than once a second is left out.',
  },
);

const options = needsScope('operator', {
  summary: 'Name the hottest tenants and concurrency keys',
  description:
    'Over all tenants and API processes, of late: what came ten seconds ago counts half. Told by each process every five seconds.',
  tags: ['operations'],
  querystring: NoParameters,
  response: answers({ 200: { description: 'Who submits most.', schema: Hotspots } }, []),
});

/** `GET /v1/hotspots`: tells operators whom to ask when more comes than can be done. */
export const getHotspots: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/hotspots', options, async (_request, reply) => {
    const { tenants, keys } = await app.readHotspots();
    reply.header('cache-control', 'no-store');
    return {
      tenants: tenants.map(tenantView),
      concurrencyKeys: keys.map((key) => ({ concurrencyKey: key.concurrencyKey, ...tenantView(key) })),
    };
  });
};

function tenantView({ tenantId, perSecond }: HotTenant) {
  return { tenantId: publicId('tenant', tenantId), jobsPerSecond: Math.round(perSecond * 10) / 10 };
}
