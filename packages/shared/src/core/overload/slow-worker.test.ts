import { describe, expect, test } from 'vitest';
import { createSlowWorker, type Step } from './slow-worker.ts';
import { toldPace, type WorkPace } from './slowness.ts';

const HEARTBEAT_MS = 3_000;

/** How a worker is: how long its handlers take, by type, and its event loop. */
interface Nature {
  handlerMs: Record<string, number>;
  loopLateMs?: number;
}

/** Workers that send heartbeats, and a ledger that has those of which others can do the work rest, as its statement does. */
function createCluster(natures: Nature[]) {
  let nowMs = 0;
  const workers = natures.map((nature) => ({
    nature,
    watch: createSlowWorker(HEARTBEAT_MS),
    isMarked: false,
    isBusy: true,
  }));
  const steps: { worker: number; step: Step; atMs: number }[] = [];
  type Member = (typeof workers)[number];

  function paceOf({ nature, watch, isBusy }: Member) {
    const count = watch.takes() === 'all' ? 50 : 3;
    const types = Object.entries(nature.handlerMs).map(([type, ms]) => ({ type, count, ms, surelyMs: ms }));
    const isSeen = isBusy && watch.takes() !== 'none';
    return { types: isSeen ? types : [], loopLateMs: nature.loopLateMs ?? 0 };
  }

  const othersOf = (member: Member) => workers.filter((other) => other !== member);

  function suffice(member: Member): boolean {
    return Object.keys(member.nature.handlerMs).every((type) => {
      const able = othersOf(member).filter(({ nature }) => type in nature.handlerMs);
      const slow = able.filter(({ isMarked }) => isMarked).length;
      return able.length - slow > slow;
    });
  }

  function beat(member: Member, worker: number, overMs: number): void {
    if (member.isMarked && !suffice(member)) member.isMarked = false;
    const own = paceOf(member);
    const others: WorkPace[] = othersOf(member)
      .filter(({ isMarked }) => !isMarked)
      .map((other) => toldPace(paceOf(other)));
    const heard = { own, overMs, others, isMarked: member.isMarked, isBusy: member.isBusy };
    const step = member.watch.hear(heard, nowMs);
    if (!step) return;
    steps.push({ worker, step, atMs: nowMs });
    if (step.do === 'goBack') member.isMarked = false;
    if (step.do !== 'mark' || !suffice(member)) return;
    member.isMarked = true;
    member.watch.marked(nowMs);
  }

  function member(worker: number): Member {
    const found = workers[worker];
    if (!found) throw new Error(`There is no worker ${worker}.`);
    return found;
  }

  return {
    workers,
    steps,
    member,
    takes: () => workers.map(({ watch }) => watch.takes()),
    run(heartbeats: number): void {
      for (let n = 0; n < heartbeats; n += 1) {
        nowMs += HEARTBEAT_MS;
        for (const [worker, member] of workers.entries()) beat(member, worker, HEARTBEAT_MS);
      }
    },
    /** One of them stands still for so long, and is the next to send a heartbeat. */
    standStill(worker: number, forMs: number): void {
      nowMs += forMs;
      beat(member(worker), worker, forMs);
    },
  };
}

const QUICK = { handlerMs: { a: 20 } };
const SLOW = { handlerMs: { a: 400 } };

describe('who rests', () => {
  test.each<[string, Nature[], string[]]>([
    ['one of three that is slow', [QUICK, SLOW, QUICK], ['all', 'none', 'all']],
    ['the slow one of two', [SLOW, QUICK], ['none', 'all']],
    ['nobody where all are slow', [SLOW, SLOW, SLOW], ['all', 'all', 'all']],
    ['nobody where one is alone', [SLOW], ['all']],
    ['two of four', [SLOW, SLOW, QUICK, QUICK], ['none', 'none', 'all', 'all']],
    [
      'nobody where each has types of its own',
      [{ handlerMs: { a: 20 } }, { handlerMs: { b: 400 } }],
      ['all', 'all'],
    ],
    [
      'nobody who alone has another type, however slow it is at what others have',
      [{ handlerMs: { a: 400, b: 1 } }, QUICK, QUICK],
      ['all', 'all', 'all'],
    ],
    ['one whose event loop is late', [{ ...QUICK, loopLateMs: 2_000 }, QUICK, QUICK], ['none', 'all', 'all']],
  ])('%s', (_, natures, takes) => {
    const cluster = createCluster(natures);
    cluster.run(8);
    expect(cluster.takes()).toEqual(takes);
  });

  test('not before three heartbeats of it, and nobody who was quick in between', () => {
    const cluster = createCluster([QUICK, QUICK]);
    const first = cluster.member(0);
    for (let round = 0; round < 10; round += 1) {
      first.nature = SLOW;
      cluster.run(2);
      first.nature = QUICK;
      cluster.run(1);
    }
    expect(cluster.steps).toEqual([]);
    first.nature = SLOW;
    cluster.run(3);
    expect(cluster.takes()).toEqual(['none', 'all']);
  });

  test('half of them at most, when one after the other becomes slow', () => {
    const cluster = createCluster(Array.from({ length: 8 }, () => QUICK));
    const resting = cluster.workers.map((member) => {
      member.nature = SLOW;
      cluster.run(4);
      return cluster.workers.filter(({ isMarked }) => isMarked).length;
    });
    expect(resting.slice(0, 4)).toEqual([1, 2, 3, 4]);
    expect(Math.max(...resting)).toBe(4);
  });

  test('one whose machine stood still, when it wakes', () => {
    const cluster = createCluster([QUICK, QUICK, QUICK]);
    cluster.run(3);
    const first = cluster.member(0);
    first.nature = { ...QUICK, loopLateMs: 15_000 };
    cluster.standStill(0, 30_000);
    expect(cluster.takes()).toEqual(['none', 'all', 'all']);
    first.nature = QUICK;
    cluster.run(12);
    expect(cluster.takes()).toEqual(['all', 'all', 'all']);
  });
});

describe('one that rests', () => {
  function resting() {
    const cluster = createCluster([SLOW, QUICK, QUICK]);
    cluster.run(3);
    expect(cluster.takes()[0]).toBe('none');
    return { cluster, slow: cluster.member(0) };
  }

  test('takes a few jobs after a while, and all when it is quick', () => {
    const { cluster, slow } = resting();
    slow.nature = QUICK;
    cluster.run(10);
    expect(cluster.takes()[0]).toBe('few');
    cluster.run(1);
    expect(cluster.takes()[0]).toBe('all');
    expect(cluster.steps.at(-1)?.step).toEqual({ do: 'goBack', why: 'no longer slow' });
  });

  test('rests for twice as long each time that it is still slow, and not for ever', () => {
    const { cluster } = resting();
    cluster.run(700);
    const tries = cluster.steps
      .filter(({ step }) => step.do === 'try')
      .map(({ atMs }) => atMs / HEARTBEAT_MS);
    const apart = tries.slice(1).map((at, n) => at - (tries[n] ?? 0) - 1);
    expect(apart.slice(0, 6)).toEqual([20, 40, 80, 100, 100, 100]);
    expect(cluster.steps.filter(({ step }) => step.do === 'goBack')).toEqual([]);
  });

  test('does not go back as soon as it is a little less slow', () => {
    const { cluster, slow } = resting();
    slow.nature = { handlerMs: { a: 80 } };
    cluster.run(11);
    expect(cluster.steps.at(-1)?.step).toMatchObject({ do: 'restOn', why: { ms: 80, othersMs: 20 } });
  });

  test('goes back where there is nothing to do, but waits for what it has begun', () => {
    const { cluster, slow } = resting();
    slow.nature = { handlerMs: {} };
    cluster.run(15);
    expect(cluster.takes()[0]).toBe('few');
    cluster.run(15);
    expect(cluster.takes()[0]).toBe('few');
    slow.isBusy = false;
    cluster.run(1);
    expect(cluster.steps.at(-1)?.step).toEqual({ do: 'goBack', why: 'nothing to do' });
  });

  test('goes back at once where others cannot do without it', () => {
    const { cluster } = resting();
    cluster.workers.splice(1, 2);
    cluster.run(1);
    expect(cluster.takes()).toEqual(['all']);
    expect(cluster.steps.at(-1)?.step).toEqual({ do: 'goBack', why: 'needed' });
  });

  test('rests for longer when it is slow again soon, and for as long as at first when it was well for long', () => {
    const { cluster, slow } = resting();
    const lasted = () => {
      const marks = cluster.steps.filter(({ step }) => step.do === 'mark');
      const tries = cluster.steps.filter(({ step }) => step.do === 'try');
      return ((tries.at(-1)?.atMs ?? 0) - (marks.at(-1)?.atMs ?? 0)) / HEARTBEAT_MS;
    };
    const again = (heartbeatsWell: number) => {
      slow.nature = QUICK;
      cluster.run(30 + heartbeatsWell);
      expect(cluster.takes()[0]).toBe('all');
      slow.nature = SLOW;
      cluster.run(3);
      expect(cluster.takes()[0]).toBe('none');
      slow.nature = QUICK;
      cluster.run(30);
      return lasted();
    };
    expect(again(0)).toBe(20);
    expect(again(300)).toBe(10);
  });
});
