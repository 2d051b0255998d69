/*
 * An HTTP server on a port that others share. Told `listen <port>` (0: any) it answers `listening <port>`; told `leave`
 * it leaves the port and answers `left <connections that it answered>` once all are; told `close` it closes at once.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { leavePort } from './leave-port.ts';

let answered = 0;
let isLeaving = false;
const server = createServer((request, response) => {
  // One that is answered before its body has come would be reset by that body.
  request.resume().once('end', () => {
    answered++;
    if (isLeaving) response.setHeader('connection', 'close');
    response.end('ok');
  });
});
process.on('message', async (word: string) => {
  const [verb, port] = word.split(' ');
  if (verb === 'listen') {
    isLeaving = false;
    server.listen({ host: '127.0.0.1', port: Number(port), reusePort: true }, () => {
      process.send?.(`listening ${(server.address() as AddressInfo).port}`);
    });
    return;
  }
  isLeaving = true;
  const closed = new Promise(resolve => server.once('close', resolve));
  if (verb === 'leave') await leavePort(server);
  else server.close();
  await closed;
  process.send?.(`left ${answered}`);
});
process.on('disconnect', () => process.exit(0));
