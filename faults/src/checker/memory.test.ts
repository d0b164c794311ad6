import { expect, test } from 'vitest';
import { checkMemory } from './memory.ts';
import { soundRun } from './testing/sound-run.ts';

const MB = 1_048_576;
const MINUTE = 60_000;

/** One process over `minutes`, which grows by `mbPerMinute` after a start of `warmUpMb`. */
const grow = (minutes: number, mbPerMinute: number, warmUpMb = 0) =>
  Array.from({ length: minutes + 1 }, (_, minute) => ({
    at: minute * MINUTE,
    name: 'worker-1',
    pid: 7,
    rssBytes: (80 + mbPerMinute * minute + (minute === 0 ? -warmUpMb : 0)) * MB,
  }));

test('a process that grows by more than 48 MB an hour is a violation', () => {
  const verdict = checkMemory(soundRun({ memory: grow(60, 1) }));
  expect(verdict.violations).toEqual(['worker-1 (pid 7) grows by 60 MB an hour.']);
  expect(verdict.figures).toEqual({ processesMeasured: 1, steepestMbPerHour: 60 });
});

test('what it takes to warm up is not growth', () => {
  expect(checkMemory(soundRun({ memory: grow(60, 0, 70) })).figures.steepestMbPerHour).toBe(0);
});

test('a heap that is given back and found again is not growth, and what grows after it is', () => {
  const api = (mbPerMinute: number) =>
    Array.from({ length: 41 }, (_, minute) => {
      const rssMb = minute < 3 ? 300 : minute < 15 ? 160 + 8 * minute : 257 + mbPerMinute * (minute - 15);
      return { at: minute * MINUTE, name: 'api-2', pid: 8, rssBytes: rssMb * MB };
    });
  expect(checkMemory(soundRun({ memory: api(0) })).violations).toEqual([]);
  expect(checkMemory(soundRun({ memory: api(1) })).violations).toEqual([
    'api-2 (pid 8) grows by 60 MB an hour.',
  ]);
});

test('a soak in which no process grew old proves nothing', () => {
  const { run } = soundRun();
  const soak = (minutes: number) =>
    checkMemory(soundRun({ run: { ...run, size: 'soak' }, memory: grow(minutes, 0) })).violations;
  expect(soak(60)).toEqual([]);
  expect(soak(19)).toEqual(['No process lived for long enough: the soak proves nothing of memory.']);
});

test('a process that lived for less than 20 minutes is not measured', () => {
  expect(checkMemory(soundRun({ memory: grow(19, 10) })).figures.processesMeasured).toBe(0);
});
