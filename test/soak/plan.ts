import { Random } from '../fuzz/random.ts';
import { CANDIDATES, ENVIRONMENTS, type Environment, MODELS, type Model } from './example.ts';

/** What a person or a pipeline does to the repository. */
export type Change =
  | { kind: 'good' | 'bad'; model: Model; candidate: string; version: string; tolerance: number }
  /** By the command. */
  | { kind: 'rollback'; model: Model }
  /** By plain git, of the newest promotion into prod. */
  | { kind: 'revert'; model: Model };

/** What the machine or the network does meanwhile. */
export type Fault =
  | { kind: 'controller killed' }
  | { kind: 'front killed'; environment: Environment }
  | { kind: 'engine killed' | 'engine stopped'; environment: Environment; model: Model }
  /** cut: nothing listens. silent: connections are taken and nothing comes back. */
  | { kind: 'remote away'; how: 'cut' | 'silent' };

export interface Turn {
  /** From the start; not before the turn before it has ended. */
  atMs: number;
  change: Change;
  fault: Fault;
  /** From when the change was made; it goes on while the fault strikes. */
  faultAfterMs: number;
}

export interface PlanOptions {
  seed: number;
  forMs: number;
  everyMs: number;
}

const LATEST_FAULT_MS = 20_000;
const CHANGES = ['good', 'good', 'bad', 'rollback', 'revert'] as const;
const FAULTS = [
  'controller killed',
  'front killed',
  'engine killed',
  'engine stopped',
  'remote away',
] as const;

/**
 * One change and one fault a turn, each kind in its turn, in an order that the seed shuffles. The controller and the
 * front of prod are killed in the first half only, and the front of staging never: a life has to be long before it
 * can be said that its memory is flat.
 */
export function makePlan({ seed, forMs, everyMs }: PlanOptions): Turn[] {
  const random = new Random(seed);
  const changes = new Changes(random);
  const faults = new Faults(random);
  const count = Math.max(1, Math.floor(forMs / everyMs));
  return Array.from({ length: count }, (_, index) => {
    const change = changes.next(index);
    return {
      atMs: index * everyMs,
      change,
      fault: faults.next(change.model, index < count / 2),
      faultAfterMs: random.below(Math.min(LATEST_FAULT_MS, everyMs / 3)),
    };
  });
}

/** What prod has of one model, as far as the plan goes as planned. */
interface History {
  /** Turns whose versions baked there and are not on hold, oldest first; a rollback goes to one before the current. */
  baked: number[];
  current: number;
  /** What the newest promotion replaced, as long as nothing was done to the release since: a revert goes there. */
  replaced: number | null;
  givenAt: number;
}

/** Of the version that everything starts with. */
const FIRST = -1;

class Changes {
  readonly #random: Random;
  readonly #histories = new Map<Model, History>(
    MODELS.map(model => [model, { baked: [FIRST], current: FIRST, replaced: null, givenAt: FIRST }]),
  );
  #kinds: Change['kind'][] = [];
  #bad: { model: Model; candidate: string }[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  next(turn: number): Change {
    if (this.#kinds.length === 0) this.#kinds = shuffled(CHANGES, this.#random);
    const at = this.#kinds.findIndex(kind => this.#models(kind).length > 0);
    // What is possible for no model now waits for a version that makes it so.
    const kind = at < 0 ? 'good' : this.#kinds.splice(at, 1)[0]!;
    return kind === 'good' || kind === 'bad' ? this.#version(kind, turn) : this.#back(kind);
  }

  #version(kind: 'good' | 'bad', turn: number): Change {
    const { model, candidate } = kind === 'good' ? this.#oldest() : this.#worst();
    const history = this.#historyOf(model);
    history.replaced = kind === 'good' ? history.current : null;
    history.givenAt = turn;
    if (kind === 'good') {
      history.baked.push(turn);
      history.current = turn;
    }
    // Another tolerance is another digest: the same graph can be a new version again and again.
    const tolerance = Number((1e-5 * (1 + (turn + 1) / 1000)).toPrecision(6));
    return { kind, model, candidate, version: `2.${turn}.0`, tolerance };
  }

  #back(kind: 'rollback' | 'revert'): Change {
    const model = this.#random.pick(this.#models(kind));
    const history = this.#historyOf(model);
    const { baked, current, replaced } = history;
    const own = baked.indexOf(current);
    history.current = (kind === 'revert' ? replaced : baked[own - 1]) ?? FIRST;
    // What was rolled back is on hold; what was only reverted could still be gone back to.
    if (kind === 'rollback') baked.splice(own, 1);
    history.replaced = null;
    return { kind, model };
  }

  /** Those that the change can be made to now. */
  #models(kind: Change['kind']): Model[] {
    return MODELS.filter(model => {
      const { baked, current, replaced } = this.#historyOf(model);
      if (kind === 'rollback') return baked.indexOf(current) > 0;
      return kind !== 'revert' || replaced !== null;
    });
  }

  /** The one that has waited longest for a version. */
  #oldest(): { model: Model; candidate: string } {
    const oldest = Math.min(...MODELS.map(model => this.#historyOf(model).givenAt));
    const model = this.#random.pick(MODELS.filter(each => this.#historyOf(each).givenAt === oldest));
    return { model, candidate: this.#random.pick(CANDIDATES[model].good) };
  }

  #worst(): { model: Model; candidate: string } {
    if (this.#bad.length === 0) {
      const all = MODELS.flatMap(model => CANDIDATES[model].bad.map(candidate => ({ model, candidate })));
      this.#bad = shuffled(all, this.#random);
    }
    return this.#bad.shift()!;
  }

  #historyOf(model: Model): History {
    return this.#histories.get(model)!;
  }
}

class Faults {
  readonly #random: Random;
  #kinds: Fault['kind'][] = [];
  #fronts = 0;
  #outages = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Never to the engines of the model that is being changed: what they fail is that version's own fault. */
  next(changed: Model, isFirstHalf: boolean): Fault {
    const isAllowed = (kind: Fault['kind']): boolean => isFirstHalf || kind !== 'controller killed';
    this.#kinds = this.#kinds.filter(isAllowed);
    if (this.#kinds.length === 0) this.#kinds = shuffled(FAULTS, this.#random).filter(isAllowed);
    const kind = this.#kinds.shift()!;
    if (kind === 'controller killed') return { kind };
    if (kind === 'remote away') return { kind, how: this.#outages++ % 2 === 0 ? 'cut' : 'silent' };
    if (kind === 'front killed')
      return { kind, environment: isFirstHalf && this.#fronts++ % 2 === 0 ? 'prod' : 'dev' };
    const others = MODELS.filter(model => model !== changed);
    return { kind, environment: this.#random.pick(ENVIRONMENTS), model: this.#random.pick(others) };
  }
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const left = [...items];
  const order: Item[] = [];
  while (left.length > 0) order.push(...left.splice(random.below(left.length), 1));
  return order;
}
