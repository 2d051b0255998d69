import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { randomFrom } from '../serving/model/random.ts';

const LONGEST_MS = 60_000;

export interface TrafficOptions {
  address: string;
  key: string;
  body: string;
  pathOf: (index: number) => string;
  answerOf: (index: number) => number;
  models: number;
  /** The model of rank k is asked in proportion to k to the minus this. */
  exponent: number;
  perSecond: number;
  seconds: number;
  seed: number;
}

export interface Traffic {
  /** Of answered requests, from when they were due; milliseconds. */
  tookMs: number[];
  /** What went wrong, by how: a status, a wrong answer, no answer. */
  failed: Map<string, number>;
}

/** Requests that come when they come (Poisson), whether or not the last was answered, to models by Zipf's law. */
export async function askMany(options: TrafficOptions): Promise<Traffic> {
  const { perSecond, seconds, seed } = options;
  const random = randomFrom(seed);
  const pick = zipf(options.models, options.exponent, random);
  const agent = new Agent({ keepAlive: true });
  const traffic: Traffic = { tookMs: [], failed: new Map() };
  const underWay = new Set<Promise<void>>();
  const began = performance.now();
  for (let due = 0; due < seconds * 1000; due += (-Math.log(1 - random()) / perSecond) * 1000) {
    await delay(Math.max(0, began + due - performance.now()));
    const one = askOne(options, agent, pick(), began + due, traffic).finally(() => underWay.delete(one));
    underWay.add(one);
  }
  await Promise.all(underWay);
  agent.destroy();
  return traffic;
}

/** Ranks from 0; which model has which rank is shuffled, so that it says nothing of the order of loading. */
export function zipf(count: number, exponent: number, random: () => number): () => number {
  const ranks = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [ranks[last], ranks[other]] = [ranks[other]!, ranks[last]!];
  }
  const ends: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= count; rank++) {
    sum += rank ** -exponent;
    ends.push(sum);
  }
  return () => {
    const at = random() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle]! < at) low = middle + 1;
      else high = middle;
    }
    return ranks[low]!;
  };
}

async function askOne(
  { address, key, body, pathOf, answerOf }: TrafficOptions,
  agent: Agent,
  index: number,
  dueAt: number,
  { tookMs, failed }: Traffic,
): Promise<void> {
  const fail = (how: string): void => void failed.set(how, (failed.get(how) ?? 0) + 1);
  try {
    const { status, text } = await post(address + pathOf(index), key, body, agent);
    if (status !== 200) return fail(`${status} ${text.slice(0, 160)}`);
    const [output] = (JSON.parse(text) as { outputs: { data: number[] }[] }).outputs;
    const difference = Math.abs(output!.data[0]! - answerOf(index));
    if (difference > 1e-3 * answerOf(index)) return fail('wrong answer');
    tookMs.push(performance.now() - dueAt);
  } catch (error) {
    fail(error instanceof Error ? error.message : 'no answer');
  }
}

function post(
  url: string,
  key: string,
  body: string,
  agent: Agent,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, 'content-length': String(Buffer.byteLength(body)) };
    const options = { method: 'POST', agent, headers, timeout: LONGEST_MS };
    const sent = request(url, options, response => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
      response.on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.on('error', reject);
    sent.end(body);
  });
}
