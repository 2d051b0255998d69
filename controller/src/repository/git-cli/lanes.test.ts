import { describe, expect, it } from 'vitest';
import { makeLanes } from './lanes.ts';

const signal = AbortSignal.timeout(10_000);

describe('makeLanes', () => {
  it('lets those of one lane through one after another, in the order they came', async () => {
    const inLane = makeLanes();
    const gate = Promise.withResolvers<void>();
    const seen: string[] = [];
    const first = inLane('main', signal, async () => {
      await gate.promise;
      seen.push('first');
    });
    const second = inLane('main', signal, async () => void seen.push('second'));
    const elsewhere = inLane('other', signal, async () => void seen.push('elsewhere'));

    await elsewhere;
    gate.resolve();
    await Promise.all([first, second]);
    expect(seen).toEqual(['elsewhere', 'first', 'second']);
  });

  it('lets a caller leave the line at once, and nobody behind it past those before', async () => {
    const inLane = makeLanes();
    const gate = Promise.withResolvers<void>();
    const giveUp = new AbortController();
    const seen: string[] = [];
    const hung = inLane('main', signal, () => gate.promise.then(() => void seen.push('hung')));
    const impatient = inLane('main', giveUp.signal, async () => void seen.push('never'));
    const patient = inLane('main', signal, async () => void seen.push('patient'));

    giveUp.abort(new Error('no patience'));
    await expect(impatient).rejects.toThrow('no patience');
    expect(seen).toEqual([]);
    gate.resolve();
    await Promise.all([hung, patient]);
    expect(seen).toEqual(['hung', 'patient']);
  });

  it('goes on after one that failed, and turns away one that comes with an aborted signal', async () => {
    const inLane = makeLanes();

    await expect(inLane('main', signal, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(inLane('main', AbortSignal.abort(new Error('late')), async () => 1)).rejects.toThrow('late');
    expect(await inLane('main', signal, async () => 2)).toBe(2);
  });
});
