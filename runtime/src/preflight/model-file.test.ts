import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, linkSync, openSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ratioModel } from '../engine/onnx/graph.fixture.ts';
import { SwitchbackError } from '../error.ts';
import { useFiles } from './preflight.fixture.ts';
import { preflight } from './preflight.ts';

const { path: pathOf, written, look, refusal } = useFiles();

describe('a file that is no ONNX', () => {
  const zip = (...names: string[]) => Buffer.from(`PK\x03\x04${'\0'.repeat(22)}${names.join(' ')}`, 'latin1');

  test.each<[string, Uint8Array | string, string]>([
    ['empty', '', 'it is empty'],
    ['an LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n', 'git lfs pull'],
    ['a pickle', Buffer.from('80049512000000', 'hex'), 'a pickle, which runs code'],
    ['an old pickle', 'csklearn.tree\nDecisionTree\n', 'a pickle, which runs code'],
    ['a compressed joblib file', Buffer.from('789c6b60a0000000', 'hex'), 'such as joblib writes'],
    ['a PyTorch file', zip('model/data.pkl'), 'torch.onnx.export'],
    ['an old PyTorch file', Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex'), 'torch.onnx.export'],
    ['a Keras file', zip('metadata.json'), 'a Keras file'],
    ['another zip archive', zip('readme.txt'), 'a zip archive'],
    ['a safetensors file', Buffer.from('\x40\0\0\0\0\0\0\0{"w":{}}', 'latin1'), 'weights without a graph'],
    ['an HDF5 file', Buffer.from('894844460d0a1a0a00', 'hex'), 'an HDF5 file'],
    ['a TFLite file', Buffer.from('\x1c\0\0\0TFL3\0\0', 'latin1'), 'a TFLite file'],
    ['a file of ONNX Runtime’s own', Buffer.from('\x1c\0\0\0ORTM\0\0', 'latin1'), 'an ORT file'],
    ['a page of a web server', '<!DOCTYPE html><title>Sign in</title>', 'text, not ONNX'],
    ['another protobuf', Buffer.from('0801120474657374', 'hex'), 'it holds no graph'],
  ])('is named for what it is: %s', (_, bytes, what) => {
    expect(refusal(() => look(bytes))).toContain(what);
  });

  test('says where it is cut short', () => {
    const whole = Buffer.from(ratioModel());

    expect(refusal(() => look(whole.subarray(0, whole.length / 2)))).toMatch(
      new RegExp(`cut short or damaged: .*to byte \\d+ and ends at byte ${Math.floor(whole.length / 2)}`),
    );
  });

  test('of random bytes is refused, never misread and never dwelt on', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), bytes => {
        expect(refusal(() => look(bytes))).toContain('The model file is refused: ');
      }),
      { numRuns: 300 },
    );
  });

  test('of a graph with bytes changed, taken out or put in is judged or refused in good time', () => {
    const whole = Buffer.from(ratioModel());
    const change = fc.record({
      at: fc.nat(whole.length - 1),
      out: fc.nat(8),
      put: fc.uint8Array({ maxLength: 8 }),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), changes => {
        let bytes = whole;
        for (const { at, out, put } of changes)
          bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + out)]);
        const path = written(bytes);
        const startedAt = performance.now();
        try {
          preflight(path);
        } catch (error) {
          expect(error).toBeInstanceOf(SwitchbackError);
        }
        expect(performance.now() - startedAt).toBeLessThan(1000);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a file that is not one plain file', () => {
  test.each<[string, (target: string, path: string) => void, string]>([
    ['a symbolic link', symlinkSync, 'a symbolic link'],
    ['a hard link', linkSync, 'under 2 names'],
    ['a folder', (_, path) => execFileSync('mkdir', [path]), 'not a plain file'],
    ['a pipe that nobody writes to', (_, path) => execFileSync('mkfifo', [path]), 'not a plain file'],
    ['absent', () => {}, 'it is not there'],
  ])('is refused: %s', (name, make, what) => {
    const path = pathOf(`${name}.onnx`);
    make(written(ratioModel()), path);

    expect(refusal(() => preflight(path))).toContain(what);
  });

  test('and of more than two gigabytes is refused unread', () => {
    const path = pathOf('vast.onnx');
    onTestFinished(() => rm(path));
    const descriptor = openSync(path, 'w');
    ftruncateSync(descriptor, 2 ** 31);
    closeSync(descriptor);
    const startedAt = performance.now();

    expect(refusal(() => preflight(path))).toContain('it has 2.0 GiB, and an ONNX file ends at 2 GiB');
    expect(performance.now() - startedAt).toBeLessThan(100);
  });
});
