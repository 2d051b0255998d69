import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type Round, violate } from '../round.ts';

/** Where secrets are meant to stand. */
const KEY_FILES = /^(?:operator-token|runtime-token|keys\/[^/]+)$/;

/** No secret in anything that was printed, logged, kept, told or committed, nor on a command line. */
export async function checkSecrets(round: Round): Promise<void> {
  const { world } = round;
  const secrets = await secretsOf(round);
  const search = (where: string, text: string | Buffer): void => {
    for (const [name, secret] of secrets)
      if (text.includes(secret))
        violate(round, 'no secret told', `no ${name} in ${where}`, 'it stands there');
  };
  search('what was printed', world.printed.join(''));
  search('an event', JSON.stringify(world.chronicle.events));
  search('a commit', await world.git('log', '--all', '-p', '--format=%B%n%an%ae'));
  for (const { words } of await world.processes.living()) search('a command line', words);
  for (const file of await filesOf(world.state))
    if (!KEY_FILES.test(relative(world.state, file)))
      search(relative(world.directory, file), await readFile(file).catch(() => ''));
}

async function secretsOf({ world }: Round): Promise<[name: string, secret: string][]> {
  const keys = await readdir(join(world.state, 'keys'));
  return [
    ['password of the remote', world.gitToken],
    ['password of the remote as sent', Buffer.from(`x-access-token:${world.gitToken}`).toString('base64')],
    ["operator's token", await world.secret('operator-token')],
    ["runtimes' token", await world.secret('runtime-token')],
    ...(await Promise.all(
      keys.map(async key => [`key of ${key}`, await world.secret('keys', key)] as [string, string]),
    )),
  ];
}

async function filesOf(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
}
