import { observationContract, PROD } from '../observation.contract.ts';
import { memoryObservation } from './index.ts';

observationContract('memory', async clock => {
  const observation = memoryObservation({ clock });
  return {
    observation,
    say: word => observation.say(PROD, word),
    [Symbol.asyncDispose]: () => observation[Symbol.asyncDispose](),
  };
});
