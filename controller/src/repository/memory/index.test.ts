import { repositoryContract } from '../repository.contract.ts';
import { memoryRemote, memoryRepository } from './index.ts';

repositoryContract('memory', async () => {
  const remote = memoryRemote();
  return {
    open: async () => memoryRepository({ remote }),
    refusePushes: async words => {
      remote.refusal = words;
    },
    disconnect: async () => {
      remote.isReachable = false;
    },
    [Symbol.asyncDispose]: async () => {},
  };
});
