import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NewEvent } from '@switchback-ml/schemas';
import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import type { TokenKind } from '../access/verbs.ts';
import { type MemoryActuation, memoryActuation } from '../actuation/memory/index.ts';
import type { Clock } from '../clock.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { memoryLedger } from '../ledger/memory/index.ts';
import { type MemoryObservation, memoryObservation } from '../observation/memory/index.ts';
import { intend } from '../operation/open-operations.ts';
import { NOW, stateWith, viewWith, wordOf } from '../registry/deployed.fixture.ts';
import type { LfsObject } from '../repository/repository.ts';
import { type PersonRequest, Requests } from '../requests.ts';
import { eventFeed } from './event-feed.ts';
import { routes } from './routes.ts';
import { makeServer } from './server.ts';
import type { ServerWorld } from './world.ts';

export const TOKENS: Record<TokenKind, string> = { operator: 'sbo_operator', runtime: 'sbr_runtime' };
export const kindOf = (token: string): TokenKind | null =>
  token === TOKENS.operator ? 'operator' : token === TOKENS.runtime ? 'runtime' : null;
export const silentLog: ServerWorld['log'] = { debug() {}, info() {}, warn() {}, error() {} };

export interface HeldClock extends Clock {
  /** Time passes, and those who slept so long wake up. */
  pass(ms: number): void;
  /** How many sleep now. */
  sleeping(): number;
}

export function heldClock(): HeldClock {
  let now = NOW;
  const sleepers = new Map<() => void, number>();
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise(resolve => {
        const wake = (): void => {
          sleepers.delete(wake);
          resolve();
        };
        if (signal?.aborted || ms <= 0) return resolve();
        sleepers.set(wake, now + ms);
        signal?.addEventListener('abort', wake, { once: true });
      }),
    pass: ms => {
      now += ms;
      for (const [wake, at] of [...sleepers]) if (at <= now) wake();
    },
    sleeping: () => sleepers.size,
  };
}

export interface TestWorld extends ServerWorld, AsyncDisposable {
  clock: HeldClock;
  ledger: Ledger;
  actuation: MemoryActuation;
  observation: MemoryObservation;
  /** What the cycle was handed, in order. */
  asked: PersonRequest[];
  /** What becomes of a request: the next cycle remembers it, takes it in for nothing, or never comes. */
  cycle: 'remembers' | 'drops' | 'never comes';
  nudges: number;
  /** Appends to the event log. */
  tell(...events: Pick<NewEvent, 'type' | 'subject'>[]): Promise<void>;
}

/** A controller's memory in which prod serves 1.1.0 and nothing is wrong; `part` replaces what a test is about. */
export async function worldWith(part: Partial<ServerWorld> = {}): Promise<TestWorld> {
  const clock = heldClock();
  const { ledger, onEvents } = eventFeed(memoryLedger());
  const acquired = await ledger.acquire('test', 60_000, NOW);
  if (acquired.kind !== 'acquired') throw new Error('a new ledger gives its lease');
  const { epoch } = acquired.lease;
  const actuation = memoryActuation();
  const observation = memoryObservation({ clock });
  const requests = new Requests(() => {
    // As the cycle does: after the asker has had its turn.
    if (world.cycle !== 'never comes') queueMicrotask(() => takeIn(world, requests));
  });
  const world: TestWorld = {
    state: stateWith(),
    repository: {
      latest: () => viewWith(),
      contact: () => ({ reachedAt: NOW - 500, failure: null }),
      acceptRewrite: () => 'not-there',
      nudge: () => {
        world.nudges += 1;
      },
      onChange: () => {},
    },
    repositoryUrl: 'https://git.example/team/models.git',
    branch: 'main',
    artifacts: { ensure: () => Promise.reject(new Error('no artifact was expected to be asked for')) },
    artifactFailures: () => new Map(),
    epoch: () => epoch,
    address: () => 'http://127.0.0.1:4180',
    metrics: new Registry(),
    log: silentLog,
    asked: [],
    cycle: 'remembers',
    nudges: 0,
    tell: async (...events) => {
      const now = clock.now();
      await ledger.advance({
        epoch,
        at: now,
        events: events.map(event => ({ at: now, actor: 'controller', data: {}, ...event })),
      });
    },
    [Symbol.asyncDispose]: async () => {
      await actuation[Symbol.asyncDispose]();
      await observation[Symbol.asyncDispose]();
      await ledger[Symbol.asyncDispose]();
    },
    ...part,
    clock,
    ledger,
    onEvents,
    actuation,
    observation,
    requests,
  };
  for (const rollout of world.state.rollouts.values())
    observation.say(rollout.environment, wordOf(rollout).observation);
  return world;
}

function takeIn(world: TestWorld, requests: Requests): void {
  const taken = requests.take();
  world.asked.push(...taken.requests);
  for (const request of taken.requests)
    if (request.kind === 'intend' && world.cycle === 'remembers')
      world.state.open.put(intend(request.intent, 'intended', world.clock.now()).operation);
  taken.answer();
}

export function appOf(world: ServerWorld): FastifyInstance {
  const table = routes(world, '0.0.0-test');
  return makeServer({ host: '127.0.0.1', routes: table, tokens: { kindOf }, log: world.log }).app;
}

export function bearer(kind: TokenKind): { authorization: string } {
  return { authorization: `Bearer ${TOKENS[kind]}` };
}

/** Artifacts in a folder, each with as many bytes as were asked for. */
export function artifactsIn(directory: string): ServerWorld['artifacts'] & { asked: LfsObject[] } {
  const asked: LfsObject[] = [];
  return {
    asked,
    ensure: async object => {
      asked.push(object);
      const path = join(directory, object.digest);
      await writeFile(path, Buffer.alloc(object.sizeBytes, 7));
      return path;
    },
  };
}
