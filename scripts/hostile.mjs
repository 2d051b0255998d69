// Holds test/hostile/index.ts to its word: every named hostile input is mapped to tests that exist, or to the
// capability that will bring them. Prints the counts.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { groups } from '../test/hostile/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What is wrong with the index, one sentence each, and how many inputs are tested here or left to whom. */
export function judgeIndex(groups, read = readTestFile) {
  const offences = [];
  const left = new Map();
  let mapped = 0;
  let tested = 0;
  for (const { letter, ids, inputs, also = {} } of groups) {
    const wanted = Array.from(
      { length: ids },
      (_, index) => `${letter}${String(index + 1).padStart(2, '0')}`,
    );
    for (const id of [...Object.keys(inputs), ...Object.keys(also)])
      if (!wanted.includes(id))
        offences.push(`${id} is not an id of group ${letter}: take it out, or mend it.`);
    for (const id of wanted) {
      const input = inputs[id];
      if (input === undefined) {
        offences.push(`${id} is mapped nowhere: name its tests, or the capability that will bring them.`);
        continue;
      }
      mapped += 1;
      if ('left' in input) {
        left.set(input.left, (left.get(input.left) ?? 0) + 1);
        continue;
      }
      tested += 1;
      offences.push(...judgeTests(id, input, read));
    }
    for (const [id, input] of Object.entries(also)) offences.push(...judgeAlso(id, input, read));
  }
  return { offences, mapped, tested, left };
}

/** What is left is said once, where the id is mapped; here there is nothing but tests to tell. */
function judgeAlso(id, input, read) {
  return 'left' in input
    ? [
        `${id} is left to ${input.left} among those that are sent elsewhere too: name its tests, or take it out.`,
      ]
    : judgeTests(id, input, read);
}

function judgeTests(id, { file, tests }, read) {
  const text = read(file);
  if (text === null) return [`${id} names ${file}, which is not there.`];
  return tests
    .filter(name => !text.includes(name))
    .map(name => `${id} names a test that ${file} has not: "${name}".`);
}

function readTestFile(file) {
  const path = join(root, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { offences, mapped, tested, left } = judgeIndex(groups);
  for (const offence of offences) console.error(offence);
  const elsewhere = [...left].map(([capability, count]) => `${count} to ${capability}`).join(', ');
  console.log(`hostile inputs: ${mapped} mapped, ${tested} tested here, left: ${elsewhere}`);
  process.exit(offences.length === 0 ? 0 : 1);
}
