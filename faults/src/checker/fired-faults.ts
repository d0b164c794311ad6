import { type FaultTraits, traitsOf } from '../kinds.ts';
import type { Evidence } from './evidence.ts';
import type { Verdict } from './verdict.ts';

/** The run itself: each fault was seen to fire, as many as were asked for, and the harness has nothing to object to. */
export function checkFiredFaults({ run, faults }: Evidence): Verdict {
  const fired = faults.filter((fault) => fault.fired && fault.firedProof !== '');
  const violations = faults
    .filter((fault) => !fired.includes(fault))
    .map((fault) => `${fault.kind} on ${fault.target} did not fire: ${fault.firedProof || 'no proof'}.`);
  if (fired.length < run.faults)
    violations.push(`${fired.length} faults fired; ${run.faults} were asked for.`);
  violations.push(...run.problems);
  const having = (trait: keyof FaultTraits) =>
    fired.filter(({ kind }) => traitsOf(kind)[trait] === true).length;
  return {
    id: 'Run',
    holds: 'Every fault was seen to fire, and the run went to its end.',
    figures: {
      faults: fired.length,
      kinds: new Set(fired.map((fault) => fault.kind)).size,
      kill9: having('kill9'),
      wipes: having('wipe'),
      postgresCrashes: having('postgresCrash'),
      zombies: having('zombie'),
    },
    violations,
  };
}
