import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { SwitchbackError } from '../../error.ts';
import type { Row } from '../sql/rows.ts';
import type { Address } from './address.ts';

const CONNECT_MS = 5000;
/** For a server that was asked to go and does not. */
const GOODBYE_MS = 1000;
const KEEP_ALIVE_MS = 5000;

export type Bound = string | number | null | readonly (string | number | null)[];

export interface Answer {
  rows: Row[];
  /** How many rows were found or changed. */
  count: number;
}

/** One session with the server. What it could not do in time ends it: nothing is known of it any more. */
export class Connection {
  readonly #client: pg.Client;
  readonly #socket: Socket;
  readonly #answerMs: number;
  #isOver = false;

  private constructor(client: pg.Client, socket: Socket, answerMs: number) {
    this.#client = client;
    this.#socket = socket;
    this.#answerMs = answerMs;
    // Told by whoever asks next; without a listener it would end the process.
    client.on('error', () => this.end());
    client.on('end', () => this.end());
  }

  /** `answerMs`: the longest that an answer may take, the way included. */
  static async open(address: Address, answerMs: number): Promise<Connection> {
    const { host, port, user, password, database } = address;
    const socket = new Socket();
    const client = new pg.Client({
      ...{ host, port, user, database, application_name: 'switchback' },
      // Given as a function, so that neither the environment nor a file of the user's is asked.
      password: () => password,
      ssl: tlsOptions(address),
      stream: () => socket,
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    });
    const connection = new Connection(client, socket, answerMs);
    try {
      await connection.#inTime(client.connect(), CONNECT_MS + GOODBYE_MS);
      return connection;
    } catch (error) {
      connection.end();
      throw error;
    }
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  async query(sql: string, ...values: Bound[]): Promise<Answer> {
    const { rows, rowCount } = await this.#inTime(this.#client.query<Row>(sql, values), this.#answerMs);
    return { rows, count: rowCount ?? 0 };
  }

  /** Several statements in one go; the name of the last one that was carried out. */
  async script(sql: string): Promise<string> {
    const result: unknown = await this.#inTime(this.#client.query(sql), this.#answerMs);
    const last = (Array.isArray(result) ? result.at(-1) : result) as { command?: string } | undefined;
    return last?.command ?? '';
  }

  /** At once, whatever is under way. */
  end(): void {
    this.#isOver = true;
    this.#socket.destroy();
  }

  async close(): Promise<void> {
    if (!this.#isOver) await this.#inTime(this.#client.end(), GOODBYE_MS).catch(() => {});
    this.end();
  }

  async #inTime<T>(answer: Promise<T>, limitMs: number): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
      this.end();
    }, limitMs);
    try {
      return await Promise.race([answer, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function tlsOptions({ tls }: Address): ConnectionOptions | false {
  if (tls.mode === 'disable') return false;
  if (tls.mode === 'require') return { rejectUnauthorized: false };
  return tls.rootCertificate === null ? {} : { ca: certificate(tls.rootCertificate) };
}

function certificate(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const message = `the certificate ${file}, which sslrootcert names, can not be read; make the file or name another`;
    throw new SwitchbackError('E_LEDGER', message, { details: { file }, cause });
  }
}
