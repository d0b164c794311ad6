import { handWritten } from '../../contenders/hand-written/hand-written.ts';
import { pgBoss } from '../../contenders/pg-boss/pg-boss.ts';
import type { OverloadPart, PartOptions } from '../part.ts';
import { acceptedOverloaded } from '../world/accepted-overloaded.ts';
import { type Bottleneck, POSTGRES, PROCESSOR, WORKERS } from './bottleneck.ts';
import { drawBottleneck } from './draw-bottleneck.ts';
import { judgeBottleneck } from './judge-bottleneck.ts';
import { measureBottleneck, type Overloaded } from './measure-bottleneck.ts';
import { tabulateBottleneck } from './tabulate-bottleneck.ts';

function makePart(
  bottleneck: Bottleneck,
  words: Pick<OverloadPart, 'title' | 'explanation'>,
): OverloadPart & { name: Bottleneck['name'] } {
  return {
    name: bottleneck.name,
    ...words,
    async run(options) {
      const ours = await measureBottleneck(options, bottleneck, acceptedOverloaded);
      const { others, notes } = await measureOthers(options, bottleneck);
      const all = [ours, ...others];
      return {
        ...{ goals: judgeBottleneck(ours), notes },
        tables: [{ title: 'What came of it', table: tabulateBottleneck(all) }],
        plots: drawBottleneck(all),
        figures: all,
      };
    },
  };
}

/** One that cannot do it is told of, and shows nothing. */
async function measureOthers(
  options: PartOptions,
  bottleneck: Bottleneck,
): Promise<{ others: Overloaded[]; notes: string[] }> {
  const others: Overloaded[] = [];
  const notes: string[] = [];
  for (const contender of options.withOthers ? [handWritten, pgBoss] : []) {
    try {
      others.push(await measureBottleneck(options, bottleneck, contender));
    } catch (error) {
      notes.push(`${contender.title} was not measured: ${error instanceof Error ? error.message : error}`);
    }
  }
  return { others, notes };
}

const OTHERS_LACK = 'The others have one job type, no tenants, no priorities, and nobody polls.';

export const workers = makePart(WORKERS, {
  title: 'Too few workers',
  explanation: `One worker with ten handlers of 10, 20 and 50 ms. An operator lets so many jobs wait as are done in two seconds. ${OTHERS_LACK}`,
});

export const processor = makePart(PROCESSOR, {
  title: 'Too little of the processor for one API process',
  explanation: `No worker runs, and nothing bounds how much may wait. The API process has a core for itself, where the system lets it, and all else runs on the others. The load comes from three client processes with 600 connections together. ${OTHERS_LACK}`,
});

export const postgres = makePart(POSTGRES, {
  title: 'A slow PostgreSQL',
  explanation: `Each write of the log takes 50 ms (\`commit_delay\`), as on a disk that takes so long for a sync. One worker with a hundred handlers that return at once, and as many jobs may wait as are done in two seconds. ${OTHERS_LACK}`,
});
