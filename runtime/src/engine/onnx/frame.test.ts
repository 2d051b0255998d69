import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensors } from '../tensor.ts';
import { type Command, encodeFrame, frameReader, packTensors, unpackTensors } from './frame.ts';

const TENSORS: Tensors = new Map([
  ['text', { datatype: 'BYTES', shape: [3], data: ['', 'ü', 'a longer one'] }],
  ['odd', { datatype: 'UINT8', shape: [3], data: Uint8Array.of(1, 2, 3) }],
  ['wide', { datatype: 'FP64', shape: [2], data: Float64Array.of(0.1, Number.NaN) }],
  ['whole', { datatype: 'INT64', shape: [1], data: BigInt64Array.of(-1n) }],
]);

describe('frames', () => {
  test('come out as they went in, wherever the stream is cut', () => {
    const { tensors, parts } = packTensors(TENSORS);
    const stream = Buffer.concat([
      ...encodeFrame({ kind: 'infer', tensors }, parts),
      ...encodeFrame({ kind: 'load', path: 'ü' }),
      ...encodeFrame({ kind: 'infer', tensors }, parts),
    ]);

    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 12 }), cuts => {
        const read = frameReader<Command>();
        const edges = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
        const frames = edges.slice(1).flatMap((end, i) => read(stream.subarray(edges[i], end)));

        expect(frames.map(({ head }) => head.kind)).toEqual(['infer', 'load', 'infer']);
        expect(unpackTensors(tensors, frames[2]!.body)).toEqual(TENSORS);
      }),
    );
  });

  test('of absurd lengths are refused before anything is kept for them', () => {
    const huge = Buffer.alloc(8);
    huge.writeUInt32LE(2 ** 31);
    const headTooLong = Buffer.alloc(12);
    headTooLong.writeUInt32LE(8);
    headTooLong.writeUInt32LE(100, 4);

    expect(() => frameReader()(huge)).toThrow('frame of');
    expect(() => frameReader()(headTooLong)).toThrow('head of');
  });

  test('with a tensor that is cut short are refused', () => {
    const { tensors, parts } = packTensors(TENSORS);
    const body = Buffer.concat(parts);

    expect(() => unpackTensors(tensors, body.subarray(0, body.length - 1))).toThrow('cut short');
    expect(() => unpackTensors([{ ...tensors[0]!, bytes: 6 }], body.subarray(0, 6))).toThrow('cut short');
  });
});
