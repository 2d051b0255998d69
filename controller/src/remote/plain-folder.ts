import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SwitchbackError } from '../error.ts';

const MOST_FILES = 20_000;

/** The files below a folder, by their paths with `/`, sorted; a link is refused, a `.git` left out. */
export async function listFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  const waiting = [''];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const entry of await readdir(join(folder, at), { withFileTypes: true })) {
      if (entry.name === '.git') continue;
      const path = at === '' ? entry.name : `${at}/${entry.name}`;
      if (entry.isDirectory()) waiting.push(path);
      else if (entry.isFile()) files.push(path);
      else
        throw new SwitchbackError(
          'E_FILE_KIND',
          `${path} is neither a file nor a folder; put the file itself there.`,
        );
    }
    if (files.length > MOST_FILES)
      throw new SwitchbackError('E_FILE_KIND', `The folder has more than ${MOST_FILES} files.`);
  }
  return files.sort();
}
