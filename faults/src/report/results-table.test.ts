import { expect, test } from 'vitest';
import { ack, soundRun } from '../checker/testing/sound-run.ts';
import { replaceBetween } from './replace-between.ts';
import { renderResults } from './results-table.ts';
import { makeReport } from './run-report.ts';

const control = {
  run: {
    seed: 1,
    startedAt: 0,
    endedAt: 61_000,
    command: 'npm run faults -- --control',
    commit: 'def5678+changes',
  },
  figures: { acknowledged: 100_000, lost: 6_133, forgotten: 7, wronglyFailed: 3, effectTwice: 52 },
  faultsByKind: { 'worker-killed': 5, 'redis-flushed': 2 },
  notFired: [],
  traits: { kill9: 5, wipes: 2, zombies: 0 },
};

test('our runs stand beside the losses of the control, with the commands', () => {
  const redisAway = soundRun({ acks: [ack({ during: ['redis-flushed'] })] });
  const [redis, other] = [makeReport(redisAway), makeReport(soundRun())];
  const table = renderResults({ redis, postgres: other, soak: other, control });

  expect(table).toContain('| Acknowledged jobs | 1 | 1 | 1 | 100,000 |');
  expect(table).toContain('| **Lost jobs** | **0** | **0** | **0** | **6,133** |');
  expect(table).toContain('| Faults, of so many kinds | 1, 1 | 1, 1 | 1, 1 | 7, 2 |');
  expect(table).toContain('| Effects that happened twice, unfenced | 0 | 0 | 0 | 52 |');
  expect(table).toContain('| Time to a `202` while Redis is away, p99 | 20 ms | – | – | – |');
  expect(table).toContain('| Commit | `abc1234` | `abc1234` | `abc1234` | `def5678+changes` |');
  expect(table).toContain('npm run faults -- --control');
});

test('only what stands between the comments is replaced', () => {
  const page = 'before\n<!-- results -->\nold\n<!-- /results -->\nafter\n';
  const replaced = replaceBetween(page, 'results', 'new');
  expect(replaced).toBe('before\n<!-- results -->\n\nnew\n\n<!-- /results -->\nafter\n');
  expect(replaceBetween(replaced, 'results', 'new')).toBe(replaced);
  expect(() => replaceBetween('nothing', 'results', 'new')).toThrow('no <!-- results -->');
});
