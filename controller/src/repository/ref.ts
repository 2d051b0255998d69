import { SwitchbackError } from '../error.ts';

/** One path component: no leading `-` or `.`, none of the characters that git or a shell gives a meaning. */
const COMPONENT = /^[A-Za-z0-9_][-+._=@#A-Za-z0-9]*$/;
const LONGEST_REF = 200;

/**
 * A full ref name from what a person or a manifest wrote: `main` means `refs/heads/main`. Stricter than git, so that
 * no name can be read as an option, a range or a pattern.
 */
export function qualifiedRef(name: string): string {
  const ref = name.startsWith('refs/') ? name : `refs/heads/${name}`;
  const components = ref.split('/');
  const isSafe =
    ref.length <= LONGEST_REF &&
    components.length >= 3 &&
    components.every(part => COMPONENT.test(part) && !part.endsWith('.lock') && !part.endsWith('.')) &&
    !ref.includes('..') &&
    !ref.includes('@{');
  if (isSafe) return ref;
  throw new SwitchbackError(
    'E_GIT_REF',
    `${JSON.stringify(name.slice(0, LONGEST_REF))} is not a ref name that is accepted; use letters, digits, "-", "_", "." and "/".`,
  );
}
