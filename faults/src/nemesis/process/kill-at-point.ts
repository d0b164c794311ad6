import type { FaultKind } from '../../logs.ts';
import type { KillPoint } from '../../preload/kill-point.ts';
import type { Node, World } from '../../world/world.ts';
import type { Fault } from '../fault.ts';
import { pickReady } from '../targets.ts';

/** How long a process may take to come to its point; under load it is there at once. */
const REACHED_WITHIN_MS = 12_000;

/** Makes the fault that kills a process when it comes to a named point of its work. */
export function killAtPoint(kind: FaultKind, nodes: (world: World) => Node[], point: KillPoint): Fault {
  return {
    kind,
    async inject({ world, random }) {
      const node = await pickReady(nodes(world), random);
      const ended = node.exit(REACHED_WITHIN_MS);
      // The answer may be cut off by the very point.
      await Promise.race([node.ask({ arm: point }), ended]);
      const { pid, signal } = await ended.catch(async (error: unknown) => {
        await node.ask({ arm: null });
        throw error;
      });
      if (signal !== 'SIGKILL') throw new Error(`${node.name} ended by ${signal} before ${point}`);
      return { target: node.name, proof: `pid ${pid} ended by ${signal} at ${point}` };
    },
  };
}
