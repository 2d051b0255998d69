import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Client } from './client.ts';

/** Every connection that is not the HTTP parser's. */
export class Clients {
  readonly #all = new Set<Client>();
  #isDraining = false;

  get count(): number {
    return this.#all.size;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Takes each new connection of a server before Node's parser does; what a client hands over goes there. */
  take(server: Server, open: (socket: Socket, handOver: (socket: Socket) => void) => Client): void {
    const [connect] = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
    server.removeAllListeners('connection');
    server.on('connection', socket => {
      const client: Client = open(socket, given => {
        this.#all.delete(client);
        connect!.call(server, given);
        given.resume();
      });
      this.#all.add(client);
      if (this.#isDraining) client.drain();
      socket.once('close', () => this.#all.delete(client));
    });
  }

  drain(): void {
    this.#isDraining = true;
    for (const client of this.#all) client.drain();
  }

  endIdle(): void {
    for (const client of this.#all) client.endIdle();
  }

  cutAll(): void {
    for (const client of this.#all) client.cut();
  }

  sweep(now: number): void {
    for (const client of this.#all) client.sweep(now);
  }
}
