/*
 * What looks like a credential. Every quantifier is bounded and every pattern starts with fixed letters, so that no
 * text makes one of them slow.
 */
const SHAPES: readonly [what: string, shape: RegExp][] = [
  ['a private key', /-----BEGIN (?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY/],
  ['a GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{30}|github_pat_[A-Za-z0-9_]{22})/],
  ['a GitLab token', /\bgl(?:pat|oas|dt|rt|cbt|ptt|ft|soat|agent|imt)-[A-Za-z0-9_-]{20}/],
  ['an AWS access key', /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/],
  [
    'an AWS secret key',
    /\baws_?(?:secret|session)[a-z_]{0,24}["']?\s{0,8}[:=]\s{0,8}["']?[A-Za-z0-9/+]{40}/i,
  ],
  ['an Azure storage key', /\bAccountKey=[A-Za-z0-9+/]{40}/],
  ['a Google API key', /\bAIza[A-Za-z0-9_-]{35}/],
  ['a Slack token', /\bxox[abeoprs]-[A-Za-z0-9-]{10}/],
  ['a Slack webhook', /\bhooks\.slack\.com\/services\/T[A-Z0-9]{6}/],
  ['a Stripe key', /\b[rs]k_live_[A-Za-z0-9]{16}/],
  ['an npm token', /\bnpm_[A-Za-z0-9]{36}/],
  ['a PyPI token', /\bpypi-[A-Za-z0-9_-]{40}/],
  ['a Hugging Face token', /\bhf_[A-Za-z0-9]{30}/],
  ['an API key', /\bsk-(?=[A-Za-z0-9_-]{0,99}[A-Z])(?=[A-Za-z0-9_-]{0,99}\d)[A-Za-z0-9_-]{32}/],
  ['a JSON web token', /\beyJ[A-Za-z0-9_-]{10,999}\.eyJ[A-Za-z0-9_-]{10}/],
  ['a token of Switchback', /\bsb[ori]_[A-Za-z0-9_-]{20}/],
  [
    'an address with a password in it',
    /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@"'<>]{0,100}:[^\s/@"'<>]{1,200}@/i,
  ],
];

const SECRET_NAME =
  /(?:^|[-_.])(?:pass(?:word|wd|phrase)|secret|credentials?|(?:api|access|secret|private|account)[-_]?key|(?:auth|access|api|bearer|refresh|session)[-_]?token)$/i;

/** What a text holds that looks like a credential, and where; the text itself is never part of the answer. */
export function secretIn(text: string): { what: string; offset: number } | null {
  for (const [what, shape] of SHAPES) {
    const found = shape.exec(text);
    if (found) return { what, offset: found.index };
  }
  return null;
}

/** Whether a field of this name, with text in it, is a secret whatever the text looks like: `db_password`, `apiKey`. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name.slice(0, 200).replace(/([a-z])([A-Z])/g, '$1_$2'));
}
