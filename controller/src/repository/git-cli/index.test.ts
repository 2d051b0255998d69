import { dirname } from 'node:path';
import { remoteServer } from '../../remote/server.ts';
import { repositoryContract } from '../repository.contract.ts';
import { gitWorld } from './git-world.fixture.ts';

repositoryContract('git, by path', () => gitWorld());

repositoryContract('git, over smart HTTP', async () => {
  let url = '';
  const world = await gitWorld(() => url);
  const server = await remoteServer({ directory: dirname(world.bare) });
  url = server.url('remote');
  return {
    ...world,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await world[Symbol.asyncDispose]();
    },
  };
});
