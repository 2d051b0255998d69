import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { commandLine } from './run.ts';

const PAGE = readFileSync(new URL('../../../docs/reference/cli.md', import.meta.url), 'utf8');

const program = commandLine(
  { out() {}, err() {}, directory: '/', environment: {}, signal: new AbortController().signal, now: () => 0 },
  () => {},
);

/** `history [address]`, with the flags that it takes. */
const verbs = program.commands.map(verb => ({
  usage: [
    verb.name(),
    ...verb.registeredArguments.map(argument =>
      argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
    ),
  ].join(' '),
  flags: verb.options.map(({ flags }) => flags),
}));

/** Sections `### switchback …`, each with what the first column of its table names. */
const sections = PAGE.split(/^### `switchback /m)
  .slice(1)
  .map(text => ({
    usage: text.slice(0, text.indexOf('`')),
    flags: [...text.split(/^#{1,2} /m)[0]!.matchAll(/^\| `(-[^`]+)` \|/gm)].map(([, flags]) => flags ?? ''),
  }));

/** Said once at the top, for all that take them. */
const COMMON = [...(PAGE.split(/^## /m)[1] ?? '').matchAll(/^\| `(-[^`]+)` \|/gm)].map(
  ([, flags]) => flags ?? '',
);

describe('docs/reference/cli.md', () => {
  it('has every verb with its arguments, and no other', () => {
    expect(sections.map(({ usage }) => usage).sort()).toEqual(verbs.map(({ usage }) => usage).sort());
  });

  it.each(verbs)('has every option of $usage, and no other', ({ usage, flags }) => {
    const section = sections.find(found => found.usage === usage);

    // One that means something else here is named again.
    const own = section?.flags.filter(flag => !COMMON.includes(flag)) ?? [];
    expect(section?.flags.filter(flag => !flags.includes(flag))).toEqual([]);
    expect(own.sort()).toEqual(flags.filter(flag => !COMMON.includes(flag)).sort());
  });

  it('has no common option that no verb takes', () => {
    const taken = new Set(verbs.flatMap(({ flags }) => flags));

    expect(COMMON.length).toBeGreaterThan(3);
    expect(COMMON.filter(flag => !taken.has(flag))).toEqual([]);
  });
});
