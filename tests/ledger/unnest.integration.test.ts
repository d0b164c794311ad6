import { type BatchColumn, unnestBatch } from '@accepted/shared/ledger/connection/unnest';
import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();

interface Row {
  n: number | null;
  text: string | null;
  json: string | null;
  holds: boolean | null;
}

const COLUMNS: BatchColumn<Row>[] = [
  { name: 'n', type: 'float8', value: ({ n }) => n },
  { name: 'text', type: 'text', value: ({ text }) => text },
  { name: 'json', type: 'json', value: ({ json }) => json },
  { name: 'holds', type: 'boolean', value: ({ holds }) => holds },
];

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0')),
  fc.string({ unit: fc.constantFrom(...'{}",\\ \n\tnulNUL-_0') }),
  fc.constantFrom('', 'null', 'NULL', 'Null'),
);
const row = fc.record({
  n: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0)),
  text: fc.option(text),
  json: fc.option(fc.json().filter((json) => !json.includes('\0'))),
  holds: fc.option(fc.boolean()),
});

test('a batch arrives as it was given, whatever is in its texts', async () => {
  const property = fc.asyncProperty(fc.array(row, { maxLength: 20 }), async (rows) => {
    const { rows: seen } = await sql<Row>`
      SELECT n, text, json::text AS json, holds FROM ${unnestBatch('given', COLUMNS, rows)}`.execute(
      ledger.db,
    );
    expect(seen).toEqual(rows);
  });
  await fc.assert(property, { numRuns: 200 });
});
