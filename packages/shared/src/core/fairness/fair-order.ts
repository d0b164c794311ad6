import TinyQueue from 'tinyqueue';

export interface FairOrderState {
  /** The pass that newcomers begin at. It only grows. */
  present: number;
  /** Of tenants that have had much more than that. */
  passes: { tenantId: string; pass: number }[];
}

interface Place {
  tenantId: string;
  pass: number;
  groups: Set<string>;
  /** Counts its passes: what stands in a group with an older one is void. */
  edition: number;
}

interface Standing {
  place: Place;
  pass: number;
  edition: number;
  /** Of those with the same pass whoever has stood there for longer is first. */
  since: number;
}

/** Who has had so much more service than newcomers begin with is remembered for longer than this process lives. */
const REMEMBERED_FROM_MS = 50;

/** So few that are void are not worth a new heap. */
const LEAST_TIDIED = 10;

/**
 * Orders the tenants of a queue by the service that each has had for its weight: stride scheduling (C. A. Waldspurger and
 * W. E. Weihl, MIT/LCS/TM-528, 1995). Whoever has the least *pass* is next. Its cost is that of what is taken, however many
 * tenants wait.
 *
 * A tenant stands in a *group* for each set of lanes that its jobs may go to, so that those whose lanes are full are not stepped
 * over.
 */
export class FairOrder {
  readonly #places = new Map<string, Place>();
  readonly #standings = new Map<string, TinyQueue<Standing>>();
  #weights: ReadonlyMap<string, number> = new Map();
  #taken: { standing: Standing; group: string }[] = [];
  #present: number;
  #standingsSoFar = 0;

  constructor({ present, passes }: FairOrderState = { present: 0, passes: [] }) {
    this.#present = present;
    for (const { tenantId, pass } of passes) this.#placeOf(tenantId).pass = pass;
  }

  /** Has a tenant stand in a group: one that stood in none begins at the present, and nobody sheds what it had before. */
  join(tenantId: string, group: string): void {
    const place = this.#placeOf(tenantId);
    if (place.groups.has(group)) return;
    this.#catchUp(place);
    place.groups.add(group);
    this.#moveTo(place, place.pass);
  }

  leave(tenantId: string, group: string): void {
    this.#places.get(tenantId)?.groups.delete(group);
  }

  /** Names the groups in which somebody may stand. */
  groups(): Iterable<string> {
    return this.#standings.keys();
  }

  /** Whether nobody waits. */
  isEmpty(): boolean {
    return [...this.groups()].every((group) => this.nextPass(group) === undefined);
  }

  /** The pass of whoever is next of a group; `undefined` where nobody is. */
  nextPass(group: string): number | undefined {
    return this.#first(group)?.pass;
  }

  /** Which of these groups has whoever is next of all. */
  nextOf(groups: Iterable<string>): string | undefined {
    let next: { group: string; standing: Standing } | undefined;
    for (const group of groups) {
      const standing = this.#first(group);
      if (standing && (!next || inOrder(standing, next.standing) < 0)) next = { group, standing };
    }
    return next?.group;
  }

  /** Takes whoever is next out of its group, until it is charged or `standAgain` is called. */
  take(group: string): string | undefined {
    const standing = this.#first(group);
    if (!standing) return undefined;
    this.#standings.get(group)?.pop();
    this.#taken.push({ standing, group });
    return standing.place.tenantId;
  }

  /** Has those stand again that were taken and not charged. */
  standAgain(): void {
    for (const { standing, group } of this.#taken)
      if (!isVoid(standing, group)) this.#stand(standing.place, group, standing.since);
    this.#taken = [];
  }

  /** Adds service that begins now, in milliseconds, to what a tenant has had. */
  charge(tenantId: string, ms: number): void {
    const place = this.#placeOf(tenantId);
    this.#catchUp(place);
    this.#present = Math.max(this.#present, place.pass);
    this.correct(tenantId, ms);
  }

  /** Adds what was charged too little, or takes away, below 0, what was charged too much. */
  correct(tenantId: string, ms: number): void {
    const place = this.#placeOf(tenantId);
    this.#moveTo(place, place.pass + ms / (this.#weights.get(tenantId) ?? 1));
  }

  /** Sets the weights of tenants; of those that are not among them it is 1. */
  weigh(weights: ReadonlyMap<string, number>): void {
    this.#weights = weights;
  }

  /** What has to outlast this process: those are few that have had much more than others. */
  state(): FairOrderState {
    const present = this.#present;
    const ahead = [...this.#places.values()].filter(({ pass }) => pass > present + REMEMBERED_FROM_MS);
    return { present, passes: ahead.map(({ tenantId, pass }) => ({ tenantId, pass })) };
  }

  /** Forgets those that would begin at the present anyhow, but for `isBusy` ones, whose charges may be corrected. */
  forget(isBusy: (tenantId: string) => boolean): void {
    for (const [tenantId, { pass, groups }] of this.#places)
      if (groups.size === 0 && pass <= this.#present && !isBusy(tenantId)) this.#places.delete(tenantId);
  }

  #placeOf(tenantId: string): Place {
    const known = this.#places.get(tenantId);
    if (known) return known;
    const place = { tenantId, pass: this.#present, groups: new Set<string>(), edition: 0 };
    this.#places.set(tenantId, place);
    return place;
  }

  /** Who waits for nothing saves nothing up. */
  #catchUp(place: Place): void {
    if (place.groups.size === 0) place.pass = Math.max(place.pass, this.#present);
  }

  #moveTo(place: Place, pass: number): void {
    place.pass = pass;
    place.edition += 1;
    const since = this.#standingsSoFar++;
    for (const group of place.groups) this.#stand(place, group, since);
  }

  #stand(place: Place, group: string, since: number): void {
    const queue = this.#standings.get(group) ?? new TinyQueue<Standing>([], inOrder);
    this.#standings.set(group, queue);
    queue.push({ place, pass: place.pass, edition: place.edition, since });
    // What is void behind others would add up.
    if (queue.length > 2 * this.#places.size + LEAST_TIDIED)
      this.#standings.set(
        group,
        new TinyQueue(
          queue.data.filter((standing) => !isVoid(standing, group)),
          inOrder,
        ),
      );
  }

  #first(group: string): Standing | undefined {
    const queue = this.#standings.get(group);
    let next = queue?.peek();
    while (next && isVoid(next, group)) {
      queue?.pop();
      next = queue?.peek();
    }
    if (!next) this.#standings.delete(group);
    return next;
  }
}

function inOrder(one: Standing, other: Standing): number {
  return one.pass - other.pass || one.since - other.since;
}

function isVoid({ place, edition }: Standing, group: string): boolean {
  return place.edition !== edition || !place.groups.has(group);
}
