import type { FaultKind } from '../kinds.ts';
import type { World } from '../world/world.ts';
import type { Fault } from './fault.ts';
import { cutLink, resetLink, silencePostgres, silenceRedis, slowRedis } from './link/cut-link.ts';
import { cutOffLeader } from './link/cut-off-leader.ts';
import { pause } from './operator/pause.ts';
import { crashPostgres } from './postgres/crash.ts';
import { emptyEngineTables } from './postgres/empty-engine-tables.ts';
import { exhaustConnections } from './postgres/exhaust-connections.ts';
import { failOver } from './postgres/fail-over.ts';
import { fillDisk } from './postgres/fill-disk.ts';
import { killBackend } from './postgres/kill-backend.ts';
import { lockTable } from './postgres/lock-table.ts';
import { terminateSessions } from './postgres/terminate-sessions.ts';
import { deploy } from './process/deploy.ts';
import { deployBuilds } from './process/deploy-builds.ts';
import { blockingHandler, lethalHandler } from './process/hostile-handler.ts';
import { killApi } from './process/kill-api.ts';
import { killAtPoint } from './process/kill-at-point.ts';
import { killWorker } from './process/kill-worker.ts';
import { poisonBesideInnocents } from './process/poison-beside-innocents.ts';
import { skewClock } from './process/skew-clock.ts';
import { zombie } from './process/zombie.ts';
import { badReceiver } from './receiver.ts';
import { crashRedis } from './redis/crash.ts';
import { dropRedisClients } from './redis/drop-clients.ts';
import { fillRedis } from './redis/fill.ts';
import { flushRedis } from './redis/flush.ts';
import { loseRedis } from './redis/lose.ts';
import { rewindRedis } from './redis/rewind.ts';
import { sleepRedis } from './redis/sleep.ts';
import { holdersOf } from './targets.ts';

const workers = (world: World) => world.workers;
const apis = (world: World) => world.apis;

const dispatchers = (world: World) => holdersOf(world, 'dispatcher of ');
/** Some of these outlast the lease of 3 s, some do not. */
const AROUND_A_LEASE = { least: 1_500, most: 5_000 };
const A_MOMENT = { least: 500, most: 1_500 };

/** Every fault, with its share in a run: of 144 faults this many are of the kind. */
export const ALL_FAULTS: { fault: Fault; share: number }[] = [
  { share: 12, fault: killWorker },
  { share: 9, fault: flushRedis },
  { share: 9, fault: emptyEngineTables },
  { share: 5, fault: zombie },
  { share: 4, fault: crashPostgres },
  { share: 4, fault: failOver },
  { share: 4, fault: loseRedis },
  { share: 4, fault: terminateSessions },
  { share: 4, fault: poisonBesideInnocents },
  { share: 3, fault: killAtPoint('worker-killed-after-effect', workers, 'after-effect') },
  { share: 3, fault: killApi },
  { share: 3, fault: badReceiver('receiver-answers-500', 'answers-500') },
  { share: 3, fault: sleepRedis },
  {
    share: 3,
    fault: cutLink({
      kind: 'worker-redis-link-blackholed',
      nodes: workers,
      link: 'redis',
      break: silenceRedis('blackhole'),
      lastsMs: AROUND_A_LEASE,
    }),
  },
  { share: 3, fault: lockTable },
  { share: 3, fault: killAtPoint('worker-killed-after-claim', workers, 'after-claim') },
  { share: 3, fault: skewClock },
  {
    share: 3,
    fault: cutLink({
      kind: 'worker-redis-link-half-open',
      nodes: workers,
      link: 'redis',
      break: silenceRedis('halfOpen'),
      lastsMs: AROUND_A_LEASE,
    }),
  },
  {
    share: 3,
    fault: cutLink({
      kind: 'worker-postgres-link-blackholed',
      nodes: workers,
      link: 'postgres',
      break: silencePostgres,
      lastsMs: { least: 2_000, most: 6_000 },
    }),
  },
  { share: 3, fault: rewindRedis },
  { share: 3, fault: dropRedisClients },
  { share: 2, fault: killAtPoint('worker-killed-before-commit', workers, 'before-commit') },
  { share: 2, fault: killAtPoint('worker-killed-during-commit', workers, 'during-commit') },
  { share: 2, fault: killAtPoint('worker-killed-after-commit', workers, 'after-commit') },
  { share: 2, fault: killAtPoint('worker-killed-after-dispatch', dispatchers, 'after-dispatch') },
  { share: 2, fault: killAtPoint('api-killed-after-commit', apis, 'accept-after-commit') },
  { share: 2, fault: killAtPoint('api-killed-before-commit', apis, 'accept-before-commit') },
  { share: 2, fault: crashRedis },
  { share: 2, fault: fillRedis },
  { share: 2, fault: killBackend },
  { share: 2, fault: exhaustConnections },
  { share: 2, fault: fillDisk },
  { share: 2, fault: deploy },
  { share: 2, fault: deployBuilds },
  { share: 3, fault: cutOffLeader },
  { share: 1, fault: pause('queue-paused') },
  { share: 1, fault: pause('type-paused') },
  { share: 1, fault: pause('tenant-paused') },
  { share: 2, fault: blockingHandler },
  { share: 2, fault: lethalHandler('handler-leaks-memory', 'leaking', ['SIGABRT', 'SIGTRAP']) },
  { share: 2, fault: lethalHandler('handler-kills-worker', 'poison', ['SIGKILL']) },
  { share: 2, fault: badReceiver('receiver-hangs', 'hangs') },
  { share: 2, fault: badReceiver('receiver-reply-lost', 'reply-lost') },
  { share: 1, fault: badReceiver('receiver-drips', 'drips') },
  { share: 1, fault: badReceiver('receiver-floods', 'floods') },
  { share: 1, fault: badReceiver('receiver-gzip-bomb', 'gzip-bomb') },
  { share: 1, fault: badReceiver('receiver-redirects', 'redirects') },
  { share: 1, fault: badReceiver('receiver-untrusted', 'untrusted') },
  {
    share: 2,
    fault: cutLink({
      kind: 'worker-redis-link-slow',
      nodes: workers,
      link: 'redis',
      break: slowRedis,
      lastsMs: AROUND_A_LEASE,
    }),
  },
  {
    share: 2,
    fault: cutLink({
      kind: 'worker-redis-link-reset',
      nodes: workers,
      link: 'redis',
      break: resetLink,
      lastsMs: A_MOMENT,
    }),
  },
  {
    share: 2,
    fault: cutLink({
      kind: 'api-postgres-link-blackholed',
      nodes: apis,
      link: 'postgres',
      break: silencePostgres,
      lastsMs: AROUND_A_LEASE,
    }),
  },
];

/** Rows of the matrix that no run has. */
export const NEVER_RUN: { kind: FaultKind | string; reason: string }[] = [
  { kind: 'redis-cluster', reason: 'the engine does not run on Redis Cluster yet' },
  { kind: 'replica-lag', reason: 'there are no reads from replicas yet' },
  {
    kind: 'dns-rebinding',
    reason: 'a test of its own has it: apps/worker/src/outbound/guarded-request.test.ts',
  },
  { kind: 'postgres-wal-disk-full', reason: 'only tables are moved to the small disk, not the log' },
];
