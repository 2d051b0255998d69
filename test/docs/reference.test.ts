import { readFileSync } from 'node:fs';
import {
  Environment,
  EventType,
  Freeze,
  Hold,
  Model,
  ModelVersion,
  Release,
  Serving,
} from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const kinds = { Model, ModelVersion, Environment, Serving, Release, Hold, Freeze };
const manifests = readFileSync('docs/reference/manifests.md', 'utf8');
const examples = [...manifests.matchAll(/```yaml\n([\s\S]+?)```/g)].map(
  ([, text]) => parse(text ?? '') as { kind: keyof typeof kinds },
);

test('the reference has an example of every kind', () => {
  expect(examples.map(({ kind }) => kind).toSorted()).toEqual(Object.keys(kinds).toSorted());
});

test.each(examples.map(example => [example.kind, example] as const))(
  'the example of %s is one that the controller reads',
  (kind, example) => {
    expect(kinds[kind].safeParse(example).error?.issues ?? []).toEqual([]);
  },
);

test('the reference explains every type of event, and no other', () => {
  const page = readFileSync('docs/reference/events.md', 'utf8');
  const explained = [...page.matchAll(/^\| (`[a-z]+\.[a-z]+`(?:, `[a-z]+\.[a-z]+`)*) \|/gm)].flatMap(
    ([, cell]) => [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, type]) => type),
  );

  expect(explained.toSorted()).toEqual([...EventType.options].toSorted());
});
