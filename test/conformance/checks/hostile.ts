import { gzipSync } from 'node:zlib';
import { hasStatus, isAnswered, isBlamed } from '../answers.ts';
import { all, type Check, expecting, type Group, sampled } from '../check.ts';
import { show } from '../server.ts';
import { infer, type Sampled } from '../subject.ts';
import { isObject } from '../v2.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
/** Of spaces, which gzip makes a thousand times smaller. */
const BOMB_BYTES = 32 * 2 ** 20;

export const hostile: Group = {
  name: 'Hostile requests',
  checks: [
    blamed('JSON nested two hundred thousand levels deep (H07)', () => `{"inputs": ${'['.repeat(200_000)}`),
    blamed('a number beyond what a double holds (H08)', sample =>
      JSON.stringify(sample).replace(/"data":\[[^,\]]*/, '"data":[1e400'),
    ),
    blamed('bytes that are no UTF-8 (H13)', sample => {
      const [before, after] = JSON.stringify({ id: '?', ...sample }).split('?') as [string, string];
      return Buffer.concat([Buffer.from(before), Buffer.of(0xff, 0xfe), Buffer.from(after)]);
    }),
    blamed('an empty body', () => ''),
    blamed('a list for a request', () => '[]'),
    blamed('null for its inputs', () => '{"inputs": null}'),
    blamed('inputs that are no objects', () => '{"inputs": [1, "a", null]}'),
    {
      name: "refuses a body that inflates a thousandfold as the caller's fault (H06)",
      source: "Switchback's own: stricter",
      isBeyond: true,
      look: sampled(async ({ server, path }) =>
        isBlamed(
          await server.ask(`${path}/infer`, {
            method: 'POST',
            headers: { ...JSON_TYPE, 'content-encoding': 'gzip' },
            body: gzipSync(Buffer.alloc(BOMB_BYTES, ' ')),
          }),
        ),
      ),
    },
    {
      name: 'takes names of the prototype for names like any other (H09)',
      source: "Switchback's own",
      isBeyond: true,
      look: sampled(async ({ server, path, sample }) => {
        const body = JSON.stringify(sample).replace('{', '{"__proto__": {"outputs": 1}, "constructor": 1, ');
        const answer = await server.ask(`${path}/infer`, { method: 'POST', headers: JSON_TYPE, body });
        return expecting(answer.status < 500 && answer.status > 0, 'a status below 500', show(answer));
      }),
    },
    ...['..%2f..%2fetc%2fpasswd', 'a%00b', '%ff', 'x'.repeat(8000)].map(
      (name): Check => ({
        name: `knows no model of the name ${name.length > 40 ? 'of eight thousand characters' : name} (H14)`,
        source: "Switchback's own",
        isBeyond: true,
        async look({ server }) {
          const answer = await server.ask(`/v2/models/${name}`);
          return expecting(answer.status >= 400 && answer.status < 500, 'a status of 4xx', show(answer));
        },
      }),
    ),
    {
      name: 'lets no request id end a head (H16)',
      source: "Switchback's own",
      isBeyond: true,
      look: sampled(async subject => {
        const id = 'a\r\nx-forged: yes';
        const answer = await infer(subject, { ...subject.sample, id });
        const isRefused = answer.status >= 400 && answer.status < 500;
        const isEchoed = answer.status === 200 && isObject(answer.json) && answer.json['id'] === id;
        return all(
          expecting(isRefused || isEchoed, 'the id back, or a status of 4xx', show(answer)),
          expecting(answer.headers.get('x-forged') === null, 'no header x-forged', 'x-forged: yes'),
        );
      }),
    },
    {
      name: 'still answers after the hostile requests',
      source: 'V2 REST, Server Live: "able to receive and respond"',
      look: sampled(async (subject: Sampled) =>
        all(
          hasStatus(await subject.server.ask('/v2/health/live'), 200),
          isAnswered(await infer(subject, subject.sample)),
        ),
      ),
    },
  ],
};

function blamed(what: string, bodyOf: (sample: Sampled['sample']) => string | Buffer): Check {
  return {
    name: `refuses ${what} as the caller's fault`,
    source: "Switchback's own: stricter",
    isBeyond: true,
    look: sampled(async ({ server, path, sample }) =>
      isBlamed(
        await server.ask(`${path}/infer`, { method: 'POST', headers: JSON_TYPE, body: bodyOf(sample) }),
      ),
    ),
  };
}
