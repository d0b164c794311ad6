import type { SizeName } from '../measures/sizes.ts';
import { makePart } from '../report/make-part.ts';
import type { Servers } from '../world/servers.ts';
import { drawService, drawTurnTimes } from './draw-turns.ts';
import { measureService } from './measure-service.ts';
import {
  ENGINES,
  type Engine,
  rateOfTenants,
  rateOfWorkers,
  saidWithLongJobs,
  waitOfSmallOnes,
} from './run-tenants.ts';
import {
  tabulateLongJobs,
  tabulateRates,
  tabulateService,
  tabulateTurns,
  tabulateWaits,
  tabulateWorkers,
} from './tabulate-turns.ts';
import { timeTurnsBehindKey, timeTurnsOfTenants } from './time-turns.ts';
import { targetsOfEngine, targetsOfTurns } from './turn-targets.ts';
import type { EngineTurns, TurnsData } from './turns-data.ts';

interface TurnsSize {
  rounds: number;
  turns: number;
  behindKey: readonly number[];
  tenants: readonly number[];
  rate: { tenants: number; jobs: number };
  workers: readonly number[];
  seconds: number;
  hogJobs: number;
}

const SIZES = {
  small: {
    ...{
      rounds: 1,
      turns: 60,
      behindKey: [0, 2_000, 20_000],
      tenants: [1, 100, 1_000],
      workers: [1, 2],
      seconds: 5,
    },
    ...{ rate: { tenants: 100, jobs: 10_000 }, hogJobs: 10_000 },
  },
  standard: {
    ...{ rounds: 3, turns: 300, behindKey: [0, 20_000, 200_000], tenants: [1, 100, 10_000] },
    ...{ workers: [1, 2, 4, 8], seconds: 10, rate: { tenants: 400, jobs: 40_000 }, hogJobs: 100_000 },
  },
} as const satisfies Partial<Record<SizeName, TurnsSize>>;

/** Whether a turn costs what it takes, and whether what it takes is fair. */
export const turns = makePart<TurnsData>({
  name: 'turns',
  title: 'Turns of the dispatcher, and who they are for',
  measure: (servers, size, say) => measureTurns(servers, SIZES[size], say),
  tables: ({ behindKey, ofTenants, engines }) => [
    {
      title: 'A turn beside what waits',
      explanation:
        'A turn of the dispatcher that puts 20 jobs into flight, in ms: beside jobs whose concurrency key is full, and while so many tenants have jobs waiting. The ledgers take turns.',
      table: tabulateTurns(behindKey, ofTenants),
    },
    {
      title: 'Many tenants',
      explanation:
        'Jobs that do nothing, a second, by one worker: of one tenant, and of many that have as many jobs together.',
      table: tabulateRates(engines),
    },
    {
      title: 'Two workers and four',
      explanation: 'Jobs that do nothing, a second, by workers that share the machine with the servers.',
      table: tabulateWorkers(engines),
    },
    {
      title: 'Workers with jobs that take a minute',
      explanation:
        'What workers say to the servers in a second while all their handlers run for a minute, and more jobs wait.',
      table: tabulateLongJobs(engines),
    },
    {
      title: 'Small tenants beside a large one',
      explanation:
        'How long the jobs of ten small tenants wait from the accept to the start (p95, ms): alone, and beside one tenant that has submitted a great many at once. Handlers take 20 ms.',
      table: tabulateWaits(engines),
    },
    {
      title: 'Service by weight',
      explanation:
        'What three tenants get of the time of a worker that has more to do than it can: seven parts, for weights of 1, 2 and 4.',
      table: tabulateService(engines),
    },
  ],
  plots: ({ behindKey, ofTenants, engines }) => [
    { title: 'A turn beside what waits', svg: drawTurnTimes(behindKey, ofTenants) },
    ...engines
      .slice(0, 1)
      .flatMap(({ service }) => service.slice(-1))
      .map((round) => ({ title: 'Service by weight', svg: drawService(round) })),
  ],
  targets: ({ behindKey, ofTenants, engines }) => [
    ...targetsOfTurns(behindKey, ofTenants),
    ...engines.flatMap(targetsOfEngine),
  ],
});

async function measureTurns(
  servers: Servers,
  size: TurnsSize,
  say: (line: string) => void,
): Promise<TurnsData> {
  say('turns: behind a full key');
  const behindKey = await timeTurnsBehindKey(servers, size.behindKey, size.turns);
  say('turns: of many tenants');
  const ofTenants = await timeTurnsOfTenants(servers, size.tenants, size.turns);
  const engines: EngineTurns[] = [];
  for (const engine of ENGINES) engines.push(await measureEngine(servers, engine, size, say));
  return { behindKey, ofTenants, engines };
}

async function measureEngine(
  servers: Servers,
  engine: Engine,
  { rounds, rate, workers, seconds, hogJobs }: TurnsSize,
  say: (line: string) => void,
): Promise<EngineTurns> {
  const measured: EngineTurns = {
    title: engine.contender.title,
    rates: [],
    byWorkers: [],
    longJobs: [],
    waits: [],
    service: [],
  };
  for (let round = 1; round <= rounds; round += 1) {
    say(`turns: ${engine.contender.name}, round ${round} of ${rounds}`);
    const one = await rateOfTenants(servers, engine, 1, rate.jobs);
    measured.rates.push({ one, many: await rateOfTenants(servers, engine, rate.tenants, rate.jobs) });
    const two = await rateOfWorkers(servers, engine, 2, rate.jobs);
    measured.byWorkers.push({ two, four: await rateOfWorkers(servers, engine, 4, rate.jobs) });
    const alone = await waitOfSmallOnes(servers, engine, { hogJobs: 0, seconds });
    measured.waits.push({ alone, besideHog: await waitOfSmallOnes(servers, engine, { hogJobs, seconds }) });
    measured.service.push(await measureService(servers, engine, seconds));
  }
  for (const count of workers) {
    say(`turns: ${engine.contender.name}, ${count} workers with long jobs`);
    measured.longJobs.push(await saidWithLongJobs(servers, engine, { workers: count, seconds }));
  }
  return measured;
}
