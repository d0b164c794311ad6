import TinyQueue from 'tinyqueue';
import type { Line } from './queue-lines.ts';

/** Where a line stands; void once the line has another one, or none. */
interface Standing {
  line: Line;
  isNew: boolean;
  placedBy: bigint;
  /** Of those that are as old whoever came first is first. */
  no: number;
}

/** So few that are void are not worth a new heap. */
const LEAST_TIDIED = 10;

/**
 * Open lines of a tenant that differ in nothing that decides whose turn it is but in age: what was dispatched before is first, then what
 * begins with the oldest job. However many there are, to find the first costs next to nothing.
 */
export class LinesByAge {
  readonly #standings = new Map<Line, Standing>();
  #queue = new TinyQueue<Standing>([], inOrder);
  #setAside: Standing[] = [];
  #linesSoFar = 0;

  get size(): number {
    return this.#standings.size;
  }

  add(line: Line): void {
    this.#stand(line, this.#linesSoFar++);
  }

  /** Has a line that is among them stand where it belongs now. */
  move(line: Line): void {
    const { no } = this.#standings.get(line) ?? {};
    if (no !== undefined) this.#stand(line, no);
  }

  remove(line: Line): void {
    this.#standings.delete(line);
    this.#tidyUp();
  }

  /** The first that was not set aside. */
  first(): Line | undefined {
    let next = this.#queue.peek();
    while (next && this.#standings.get(next.line) !== next) {
      this.#queue.pop();
      next = this.#queue.peek();
    }
    return next?.line;
  }

  /** Steps over the first until `putBack`. */
  setAside(): void {
    if (!this.first()) return;
    const standing = this.#queue.pop();
    if (standing) this.#setAside.push(standing);
  }

  putBack(): void {
    for (const standing of this.#setAside) this.#queue.push(standing);
    this.#setAside = [];
  }

  #stand(line: Line, no: number): void {
    const standing = { line, isNew: line.isNew, placedBy: line.placedBy, no };
    this.#standings.set(line, standing);
    this.#queue.push(standing);
    this.#tidyUp();
  }

  /** What is void behind an old line would add up. */
  #tidyUp(): void {
    if (this.#queue.length <= 2 * this.#standings.size + LEAST_TIDIED) return;
    this.#queue = new TinyQueue([...this.#standings.values()], inOrder);
    this.#setAside = [];
  }
}

function inOrder(one: Standing, other: Standing): number {
  return byAge(one, other) || one.no - other.no;
}

/** Compares two lines by which goes first, for `sort`. */
export function byAge(
  one: Pick<Line, 'isNew' | 'placedBy'>,
  other: Pick<Line, 'isNew' | 'placedBy'>,
): number {
  return Number(one.isNew) - Number(other.isNew) || Number(one.placedBy - other.placedBy);
}
