import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fastify } from 'fastify';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Clock, systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { eventually } from '../serving.fixture.ts';
import { type Listening, type ListeningOptions, listen } from './listening.ts';

interface Door {
  listening: Listening;
  drain(): void;
}

/** One of those that share a port; it answers with its name. */
async function open(name: string, port: number, clock: Clock): Promise<Door> {
  const front = fastify({ forceCloseConnections: 'idle', return503OnClosing: false });
  front.get('/', async () => name);
  let isDraining = false;
  const listening = await listen({
    config: { host: '127.0.0.1', port, sharePort: 'at-once', grpcPort: null },
    front,
    frontOptions: { isDraining: () => isDraining, readiness: () => ({ isReady: true }), clock },
    instanceId: name,
    clock,
    log: silentLog,
  } as unknown as ListeningOptions);
  onTestFinished(() => listening.leave());
  return { listening, drain: () => (isDraining = true) };
}

interface Kept {
  socket: Socket;
  /** The whole answer to one request by this connection. */
  ask(): Promise<string>;
}

async function keep(port: number): Promise<Kept> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return {
    socket,
    async ask() {
      const answered = once(socket, 'data');
      socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
      return String((await answered)[0]);
    },
  };
}

/** A connection that this one of them has. */
async function keptBy(name: string, port: number): Promise<Kept> {
  return eventually(async () => {
    const kept = await keep(port);
    if ((await kept.ask()).endsWith(name)) return kept;
    kept.socket.destroy();
    return null;
  }, `a connection to ${name}`);
}

describe.skipIf(process.platform !== 'linux')('who leaves a port that others share', () => {
  test('waits for who keeps a connection to ask once more, answers, and says that it was the last time', async () => {
    const still: Clock = { ...systemClock, elapsed: () => 0 };
    const stays = await open('stays', 0, still);
    const port = Number(new URL(stays.listening.address).port);
    const leaves = await open('leaves', port, still);
    const kept = await Promise.all([1, 2, 3].map(() => keptBy('leaves', port)));
    leaves.drain();

    const left = leaves.listening.leave();
    // New ones go to whoever stays, more often than chance would have it.
    let inRow = 0;
    await eventually(async () => {
      const one = await keep(port);
      inRow = (await one.ask()).endsWith('stays') ? inRow + 1 : 0;
      one.socket.destroy();
      return inRow >= 20;
    }, 'the port being left');
    const last = await Promise.all(kept.map(one => one.ask()));
    await left;

    for (const answer of last) expect(answer).toMatch(/^HTTP\/1\.1 200 .*connection: close\r\n.*leaves$/is);
  });

  test('does not wait for who says nothing longer than the bound', async () => {
    const stays = await open('stays', 0, systemClock);
    const port = Number(new URL(stays.listening.address).port);
    let now = 0;
    const hasty: Clock = { ...systemClock, elapsed: () => (now += 500) };
    const leaves = await open('leaves', port, hasty);
    const kept = await keptBy('leaves', port);
    leaves.drain();
    const closed = once(kept.socket, 'close');

    await leaves.listening.leave();
    await closed;

    expect((await (await keep(port)).ask()).endsWith('stays')).toBe(true);
  });
});
