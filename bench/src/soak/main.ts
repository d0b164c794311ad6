// `npm run soak`: jobs move through the ledger for a long time; what moves must not grow, nor a turn become slower.
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '@accepted/shared/ledger/connection/connect';
import { startPostgresServer } from '@accepted/testing/postgres-server';
import { createTestDatabase } from '@accepted/testing/test-database';
import pg from 'pg';
import { runProgram } from '../run-program.ts';
import { drawSizes, drawTurns } from './draw-soak.ts';
import { judgeSoak, type SoakVerdict } from './judge-soak.ts';
import { parseSoakOptions, USAGE } from './options.ts';
import { runSoak, type SoakSample } from './run-soak.ts';

const EXIT_BROKEN = 1;
const MB = 1_048_576;
const STATEMENT_TIMEOUT_MS = 60_000;

async function main(): Promise<number> {
  const { folder = await mkdtemp(join(tmpdir(), 'accepted-soak-')), ...options } = parseSoakOptions(
    process.argv.slice(2),
  );
  await mkdir(folder, { recursive: true });
  await using server = await startPostgresServer();
  await using database = await createTestDatabase(server.url);
  await using stack = new AsyncDisposableStack();
  const db = openDatabase(
    {
      url: database.url,
      applicationName: 'soak',
      maxConnections: 2,
      indexPlansOnly: true,
      connectTimeoutMs: STATEMENT_TIMEOUT_MS,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    },
    () => undefined,
  );
  stack.defer(() => db.destroy());
  const postgres = new pg.Client({ connectionString: database.url });
  await postgres.connect();
  stack.defer(() => postgres.end());
  const samples = await runSoak(db, postgres, options, (sample) =>
    process.stdout.write(`${describe(sample)}\n`),
  );
  const verdicts = judgeSoak(samples);
  await writeFile(join(folder, 'soak.json'), JSON.stringify({ options, verdicts, samples }));
  await writeFile(join(folder, 'soak-sizes.svg'), drawSizes(samples));
  await writeFile(join(folder, 'soak-turns.svg'), drawTurns(samples));
  process.stdout.write(`${verdicts.map(renderVerdict).join('\n')}\nfigures and plots: ${folder}\n`);
  return verdicts.every(({ holds }) => holds) ? 0 : EXIT_BROKEN;
}

function describe({ phase, atMinutes, moves, turnMs, heapBytes, indexBytes, vacuums }: SoakSample): string {
  const sizes = `tables ${(heapBytes / MB).toFixed(1)} MB  indexes ${(indexBytes / MB).toFixed(1)} MB`;
  return `${atMinutes.toFixed(1)} min  ${phase}  moves ${moves.toLocaleString('en-US')}  turn ${turnMs.toFixed(2)} ms  ${sizes}  vacuums ${vacuums}`;
}

function renderVerdict({ title, ratio, atMost, holds }: SoakVerdict): string {
  return `${holds ? 'holds ' : 'BROKEN'}  ${title}: ${ratio.toFixed(2)} x, at most ${atMost} x`;
}

runProgram(main, USAGE);
