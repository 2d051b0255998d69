import type { Message } from '../../../inference/call.ts';
import { targetOf } from '../address.ts';
import type { FindTarget, HttpProtocol } from '../http.ts';
import { contentKind } from './content-type.ts';
import { printError } from './error.ts';
import { decodeInvocation } from './request.ts';

export { type MlflowOptions, registerMlflow } from './routes.ts';

/** MLflow's scoring call as bodies: JSON in four forms, and CSV. */
const mlflow: HttpProtocol = {
  decode: decodeInvocation,
  // What is no form of this protocol never gets an answer that could be kept under this name.
  name: 'mlflow',
  encoding: (message: Message) => `mlflow-${contentKind(message.header('content-type')) ?? 'none'}`,
  printError,
};

const ADDRESS = /^(?:\/models\/([^/]+)(?:\/versions\/([^/]+))?)?\/invocations\/?$/;

export const findMlflow: FindTarget = path => {
  const found = ADDRESS.exec(path);
  return found === null ? null : targetOf(mlflow, found[1], found[2]);
};
