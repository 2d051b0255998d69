import { ANSWERED_BY, TOLD_BY } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import { startRuntimeFixture } from '../runtime.fixture.ts';
import { ratioBody } from '../serving.fixture.ts';

test('whatever is said of a revision names it, its digest and the commit, in the same words everywhere', async () => {
  const runtime = await startRuntimeFixture();
  const [backend] = await runtime.serve({ label: '1' });

  const answers = await Promise.all([
    runtime.infer(ratioBody([6], [3])),
    runtime.infer(ratioBody([1, 2], [1])),
    runtime.infer('{"instances": [{"numerator": [6], "denominator": [3]}]}', '/v1/models/ratio:predict'),
    runtime.get('/v2/models/ratio'),
    runtime.get('/v2/models/ratio/versions/1'),
    runtime.get('/v2/models/ratio/ready'),
    runtime.get('/v2/models/ratio/config'),
    runtime.get('/v1/models/ratio/metadata'),
  ]);

  expect(answers.map(({ status }) => status)).toEqual([200, 400, 200, 200, 200, 200, 200, 200]);
  const names = [ANSWERED_BY.version, ANSWERED_BY.revision, TOLD_BY.digest, TOLD_BY.commit];
  for (const { headers } of answers)
    expect(names.map(name => headers.get(name))).toEqual([
      '1',
      backend!.revision,
      backend!.digest,
      'c'.repeat(40),
    ]);
});
