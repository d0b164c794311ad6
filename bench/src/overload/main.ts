// `npm run overload`: several times as much is offered as can be done, to Accepted and to what one would write instead.
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { acceptedRedis } from '../contenders/accepted/accepted.ts';
import { handWritten } from '../contenders/hand-written/hand-written.ts';
import { pgBoss } from '../contenders/pg-boss/pg-boss.ts';
import { writeFigure } from '../report/table.ts';
import { runProgram } from '../run-program.ts';
import { startServers } from '../world/servers.ts';
import { drawGoodput, drawStarts } from './draw-overload.ts';
import { judgeWorkers, type OverloadVerdict } from './judge-overload.ts';
import { type LayDown, measureWorkers } from './measure-workers.ts';
import { parseOverloadOptions, USAGE } from './options.ts';

const EXIT_BROKEN = 1;

const startedAt = Date.now();

function say(line: string): void {
  const seconds = Math.round((Date.now() - startedAt) / 1_000);
  process.stderr.write(`${String(seconds).padStart(5)} s  ${line}\n`);
}

/** An operator bounds what may wait. It is in force within a second. */
const layDownBacklog: LayDown = async ({ api }, maxBacklog) => {
  const url = new URL('/v1/queues/default', api.url);
  const body = JSON.stringify({ maxBacklog });
  const reply = await request(url, { method: 'PATCH', headers: api.headers, body });
  if (reply.statusCode !== 200) throw new Error(`The bound was answered with ${reply.statusCode}.`);
  await reply.body.dump();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
};

async function main(): Promise<number> {
  const options = parseOverloadOptions(process.argv.slice(2));
  const { steps, folder = await mkdtemp(join(tmpdir(), 'accepted-overload-')) } = options;
  await mkdir(folder, { recursive: true });
  await using servers = await startServers();
  const ours = await measureWorkers(servers, acceptedRedis, steps, layDownBacklog, say);
  const workers = [ours];
  for (const other of options.withOthers ? [handWritten, pgBoss] : [])
    workers.push(await measureWorkers(servers, other, steps, undefined, say));
  const verdicts = judgeWorkers(ours);
  await writeFile(join(folder, 'overload.json'), JSON.stringify({ steps, verdicts, workers }, null, 2));
  await writeFile(join(folder, 'overload-starts.svg'), drawStarts(workers));
  await writeFile(join(folder, 'overload-goodput.svg'), drawGoodput(workers));
  process.stdout.write(`${verdicts.map(renderVerdict).join('\n')}\nfigures and plots: ${folder}\n`);
  return verdicts.every(({ holds }) => holds) ? 0 : EXIT_BROKEN;
}

function renderVerdict({ title, value, wanted, holds }: OverloadVerdict): string {
  return `${holds ? 'holds ' : 'BROKEN'}  ${title}: ${writeFigure(value)}, wanted ${wanted}`;
}

runProgram(main, USAGE);
