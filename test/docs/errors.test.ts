import { globSync, readFileSync } from 'node:fs';
import { ERROR_CODES } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';

const documented = [
  ...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([EW]_[A-Z_]+)` \| (.+) \| (.+) \|$/gm),
];

test('docs/errors.md explains every code, and no other', () => {
  expect(documented.map(([, code]) => code).toSorted()).toEqual([...ERROR_CODES].toSorted());
});

test('every code can be met: something in the product gives it', () => {
  const source = globSync('{controller,runtime}/src/**/*.ts')
    .filter(file => !/\.(test|contract|fixture)\.ts$/.test(file))
    .map(file => readFileSync(file, 'utf8'))
    .join('\n');

  expect(ERROR_CODES.filter(code => !source.includes(`'${code}'`))).toEqual([]);
});
