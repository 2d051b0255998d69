import { refused } from '../settings-values.ts';

const TOKEN = /^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/;
const PRINTABLE = /^[\x20-\x7e]*$/;

/** What is sent along with every export. Never quoted in a message. */
export function parseHeaders(variable: string, text: string): Record<string, string> {
  const pairs = parsePairs(variable, text);
  for (const [name, value] of pairs)
    if (!TOKEN.test(name) || !PRINTABLE.test(value))
      throw refused(variable, 'holds something that no HTTP header can');
  return Object.fromEntries(pairs);
}

/** What all that is sent has in common. */
export function parseResource(text: string): Record<string, string> {
  return Object.fromEntries(parsePairs('OTEL_RESOURCE_ATTRIBUTES', text));
}

/** `name=value` pairs with commas between; both may be percent-encoded, and commas in them must be. */
function parsePairs(variable: string, text: string): [string, string][] {
  const pairs = text.split(',').filter(pair => pair.trim() !== '');
  return pairs.map(pair => {
    const [name = '', ...value] = pair.split('=');
    if (name.trim() === '' || value.length === 0)
      throw refused(variable, 'must be name=value pairs with commas between them');
    return [decoded(variable, name.trim()), decoded(variable, value.join('=').trim())];
  });
}

function decoded(variable: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused(variable, 'holds something that is not percent-encoded as it should be; write % as %25');
  }
}
