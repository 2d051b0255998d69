import { join } from 'node:path';
import type { EnvironmentName, ModelName } from '@switchback-ml/schemas';
import { STATE_FILES } from '../controller/state-directory.ts';

export interface CurlOptions {
  address: string;
  environment: EnvironmentName;
  model: ModelName;
  /** Absolute: it may be pasted anywhere. */
  state: string;
  body: object;
}

/** A line to paste. The key is read when it runs, so that it stands in no terminal and no log. */
export function curlLine({ address, environment, model, state, body }: CurlOptions): string {
  const url = new URL(`/v2/models/${model}/infer`, address).href;
  const key = join(state, STATE_FILES.keys, environment);
  return [
    `curl -s ${url}`,
    `-H "Authorization: Bearer $(cat ${quoted(key)})"`,
    `-H 'Content-Type: application/json'`,
    `-d ${quoted(JSON.stringify(body))}`,
  ].join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
