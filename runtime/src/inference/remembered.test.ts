import { expect, onTestFinished, test } from 'vitest';
import { inProcessReplies } from '../cache/in-process/index.ts';
import { replyCache } from '../cache/two-level.ts';
import { systemClock } from '../clock.ts';
import { v2 } from '../front/protocol/v2/index.ts';
import { ratioVersion } from '../serving.fixture.ts';
import { Journey } from './journey.ts';
import type { InferenceOutcome } from './outcome.ts';
import { remembered } from './remembered.ts';

test('what making an answer throws reaches the caller as it is, so that a surprise is told to the log alone', async () => {
  const clock = systemClock;
  const cache = replyCache({ clock, near: inProcessReplies({ clock, budgetBytes: 2 ** 20 }), far: null });
  onTestFinished(() => cache[Symbol.asyncDispose]());
  const { backend } = ratioVersion();
  const call = {
    model: 'ratio',
    version: null,
    message: { body: Buffer.from('{}'), header: () => undefined },
    protocol: v2,
    caller: { isGone: false },
    arrivedAt: 0,
  };
  const surprise = new TypeError('of our own inside');
  const make = async (): Promise<InferenceOutcome> => {
    throw surprise;
  };
  const policy = { forMs: 1000, bytes: 2 ** 16 };

  const answered = remembered({ cache, policy, backend, make }, call, new Journey('weight'));

  await expect(answered).rejects.toBe(surprise);
});
