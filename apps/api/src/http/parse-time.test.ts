import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTime } from './parse-time.ts';

describe('a time of RFC 3339 is read as what it means', () => {
  test.each([
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02t03:04:05z', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04:05+02:30', '2026-01-02T00:34:05.000Z'],
    ['2026-01-02T03:04:05-00:00', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04:05.6Z', '2026-01-02T03:04:05.600Z'],
    ['2026-01-02T03:04:05.678999999999999999999Z', '2026-01-02T03:04:05.678Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000Z'],
    ['0000-01-01T00:00:00+23:59', '-000001-12-31T00:01:00.000Z'],
    ['9999-12-31T23:59:59-23:59', '+010000-01-01T23:58:59.000Z'],
  ])('%s', (text, time) => {
    expect(parseTime(text)?.toISOString()).toBe(time);
  });

  test('whatever the moment and the offset', () => {
    const moment = fc.date({ min: new Date(0), max: new Date('9998-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(moment, fc.integer({ min: -1_439, max: 1_439 }), (time, offsetMinutes) => {
        const local = new Date(time.getTime() + offsetMinutes * 60_000).toISOString().slice(0, -1);
        expect(parseTime(`${local}${zoneOf(offsetMinutes)}`)).toEqual(time);
      }),
    );
  });

  function zoneOf(offsetMinutes: number): string {
    const minutes = Math.abs(offsetMinutes);
    const digits = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0'));
    return `${offsetMinutes < 0 ? '-' : '+'}${digits.join(':')}`;
  }
});

describe('what RFC 3339 does not know is no time', () => {
  test.each([
    'tomorrow',
    '',
    '2026-01-02',
    '2026-01-02T03:04:05',
    '2026-01-02T03:04Z',
    '2026-01-02 03:04:05Z',
    '2026-01-02T03:04:05+02',
    '2026-01-02T03:04:05+0200',
    '2026-01-02T03:04:05+24:00',
    '2026-01-02T24:00:00Z',
    '2026-01-02T03:60:00Z',
    '2026-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-10T00:00:00Z',
    '+010000-01-01T00:00:00Z',
    '-000001-01-01T00:00:00Z',
    '2016-12-31T23:59:60Z',
    ' 2026-01-02T03:04:05Z',
    '2026-01-02T03:04:05Z\n',
    '٢٠٢٦-01-02T03:04:05Z',
  ])('%j', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});
