import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { leavePort } from './leave-port.ts';

test('a process whose passes are all long leaves within a moment', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const LONG_MS = 5;
  let isBusy = true;
  onTestFinished(() => {
    isBusy = false;
  });
  const pass = (): void => {
    const until = performance.now() + LONG_MS;
    while (performance.now() < until);
    if (isBusy) setImmediate(pass);
  };
  setImmediate(pass);
  const from = performance.now();

  await leavePort(server);

  expect(server.listening).toBe(false);
  // By the count of passes alone it would be 2000 of them, ten seconds.
  expect(performance.now() - from).toBeLessThan(5000);
});

test('connections that it has stay as they are, and new ones find nobody', async () => {
  const server = createServer(socket => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const kept = connect(port, '127.0.0.1');
  onTestFinished(() => void kept.destroy());
  await once(kept, 'connect');

  await leavePort(server);
  kept.write('still here');

  expect(String((await once(kept, 'data'))[0])).toBe('still here');
  const late = connect(port, '127.0.0.1');
  expect(await once(late, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }]);
});

test('one that listens no more has left', async () => {
  const server = createServer();

  await expect(leavePort(server)).resolves.toBeUndefined();
});
