import { artifactContract } from '../artifact.contract.ts';
import { memoryArtifacts } from './index.ts';

artifactContract('memory', async () => {
  const objects = new Map<string, Uint8Array>();
  return { artifacts: await memoryArtifacts(objects), objects, close: async () => {} };
});
