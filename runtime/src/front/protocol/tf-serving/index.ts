import { SwitchbackError } from '../../../error.ts';
import { targetOf } from '../address.ts';
import type { FindTarget, HttpProtocol } from '../http.ts';
import { decodePredict } from './request.ts';

export { registerTfServing, type TfServingOptions } from './routes.ts';

const JSON_HEADERS = ['content-type', 'application/json'];

/** TensorFlow Serving's predict call as bodies; KServe's first protocol is the same. */
const predict: HttpProtocol = {
  decode: decodePredict,
  name: 'tf-serving',
  encoding: () => 'tf-serving',
  printError: ({ message, code, details }: SwitchbackError) => ({
    headers: JSON_HEADERS,
    body: JSON.stringify({
      error: message,
      code,
      ...(Object.keys(details).length > 0 && { details }),
    }),
  }),
};

/** The calls beside it, which ask for more than a signature of tensors says. */
const OTHERS: Readonly<Record<string, HttpProtocol>> = {
  classify: refusing('classify'),
  regress: refusing('regress'),
  explain: refusing('explain'),
};

const ADDRESS = /^\/v1\/models\/([^/:]+)(?:\/versions\/([^/:]+))?:(predict|classify|regress|explain)\/?$/;

export const findTfServing: FindTarget = path => {
  const found = ADDRESS.exec(path);
  if (found === null) return null;
  return targetOf(OTHERS[found[3]!] ?? predict, found[1], found[2]);
};

function refusing(verb: string): HttpProtocol {
  return {
    ...predict,
    decode() {
      const message = `There is no ":${verb}" here: send the rows to ":predict" of the same model.`;
      throw new SwitchbackError('E_NOT_FOUND', message, { details: { verb, instead: 'predict' } });
    },
  };
}
