import type { FaultKind } from '../../kinds.ts';
import type { KillPoint } from '../../preload/kill-point.ts';
import type { Exit } from '../../world/supervised.ts';
import type { Node, World } from '../../world/world.ts';
import type { Fault } from '../fault.ts';
import { pickReady } from '../targets.ts';

/** How long a process may take to come to its point; under load it is there at once. */
const REACHED_WITHIN_MS = 12_000;
const TRIES = 3;

/** Makes the fault that kills a process when it comes to a named point of its work. */
export function killAtPoint(
  kind: FaultKind,
  nodes: (world: World) => Node[] | Promise<Node[]>,
  point: KillPoint,
): Fault {
  return {
    kind,
    async inject({ world, random }) {
      for (let tries = 1; ; tries += 1) {
        const node = await pickReady(await nodes(world), random);
        const { pid, signal } = await killArmed(node, point);
        if (signal === 'SIGKILL')
          return { target: node.name, proof: `pid ${pid} ended by ${signal} at ${point}` };
        // Something else was quicker, such as a job that kills its worker.
        if (tries === TRIES) throw new Error(`${node.name} ended by ${signal} before ${point}`);
      }
    },
  };
}

async function killArmed(node: Node, point: KillPoint): Promise<Exit> {
  const ended = node.exit(REACHED_WITHIN_MS);
  try {
    // The answer may be cut off by the very point.
    await Promise.race([node.ask({ arm: point }), ended]);
    return await ended;
  } catch (error) {
    await node.ask({ arm: null });
    throw error;
  }
}
