import * as ort from 'onnxruntime-node';

/** A model opened by ONNX Runtime in this very process, with nothing around it. */
export interface Graph extends AsyncDisposable {
  /** `rows` rows, one after another, → their outputs, one after another. */
  run(input: Float32Array, rows: number): Promise<Float32Array>;
}

/** Threads and spinning as the runtime has them, and as the peers are given them. */
export async function openGraph(path: string, inputShape: readonly number[]): Promise<Graph> {
  const session = await ort.InferenceSession.create(path, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  return {
    run: async (input, rows) => {
      const results = await session.run({ input: new ort.Tensor('float32', input, [rows, ...inputShape]) });
      return results['output']!.data as Float32Array;
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}
