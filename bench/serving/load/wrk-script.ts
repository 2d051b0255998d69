import type { Dialect } from '../subject/subject.ts';

export interface ThinkMs {
  least: number;
  most: number;
}

/** For wrk: the questions in turn, ready before the clock runs, and the outcome as one line of JSON. */
export function wrkScript({ messages }: Dialect, think?: ThinkMs): string {
  const requests = messages.map(({ headers, body }) => {
    const fields = Object.entries(headers).map(([name, value]) => `[${quoted(name)}]=${quoted(value)}`);
    return `wrk.format("POST", nil, {${fields.join(',')}}, ${quoted(body)})`;
  });
  return `local all = {}
local at = 0
function init(args)
  all = {
    ${requests.join(',\n    ')}
  }
end
function request()
  at = at % #all + 1
  return all[at]
end
${think === undefined ? '' : `function delay() return math.random(${think.least}, ${think.most}) end`}
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"elapsedUs":%d,"p50Us":%d,"p99Us":%d,"refused":%d,"broken":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
`;
}

/** Any bytes as a string of Lua. */
function quoted(value: string | Buffer): string {
  const escaped = Array.from(Buffer.from(value), byte =>
    byte >= 32 && byte < 127 && byte !== 34 && byte !== 92
      ? String.fromCharCode(byte)
      : `\\${String(byte).padStart(3, '0')}`,
  );
  return `"${escaped.join('')}"`;
}
