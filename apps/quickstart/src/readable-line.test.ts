import { describe, expect, test } from 'vitest';
import { readableLine } from './readable-line.ts';

const line = (fields: object) =>
  JSON.stringify({ level: 30, time: 1_764_000_000_000, pid: 7, hostname: 'h', name: 'worker', ...fields });

describe('readableLine', () => {
  test('shows the time, the level, the text and the fields of a line of a log', () => {
    expect(readableLine(line({ type: 'csv.import', imported: 2, msg: 'contacts imported' }))).toMatch(
      /^\[\d\d:\d\d:\d\d\] INFO: contacts imported \{"type":"csv.import","imported":2\}$/,
    );
  });

  test('shows the stack of an error', () => {
    const err = { type: 'Error', message: 'boom', stack: 'Error: boom\n    at run (/jobs/a.ts:3:7)' };
    expect(readableLine(line({ level: 40, msg: 'failed', err }))).toMatch(
      /WARN: failed[\s\S]*jobs\/a\.ts:3:7/,
    );
  });

  test.each(['a handler says this', '{"rows":3}', 'null', '{"level":"info","time":1}', '', '{'])(
    'leaves what a handler prints as it is: %s',
    (text) => {
      expect(readableLine(text)).toBe(text);
    },
  );
});
