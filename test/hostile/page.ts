import type { HostileInput, HostileInputs } from './entry.ts';

const left = (what: string): HostileInput => ({ what, left: 'the page' });

/** Foreign text and foreign sites against the page. */
export const page: HostileInputs = {
  D01: left('markup in names, authors, messages and errors'),
  D02: left('a homepage that is a script'),
  D03: left('a picture that is a program'),
  D04: left('text that runs the other way'),
  D05: left('texts of a megabyte'),
  D06: left('a content security policy that reports nothing'),
  D07: left('the page inside a foreign frame'),
  D08: left('a tab that was logged out'),
};
