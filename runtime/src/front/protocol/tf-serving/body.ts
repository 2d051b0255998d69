import { SwitchbackError } from '../../../error.ts';
import { jsonText, NoJson, parseExactly, parseJson } from '../tensors/json/parse.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** A body that is a JSON object. */
export interface JsonBody {
  json: JsonObject;
  /** The same, but integers that a double doesn't hold are bigints. Many times slower. */
  exactly(): JsonObject;
}

/** Throws E_BODY for anything but a JSON object in UTF-8. */
export function parseJsonObject(body: Buffer): JsonBody {
  const text = jsonText(body);
  const json = text instanceof NoJson ? text : parseJson(text);
  if (json instanceof NoJson) throw badBody(json.why);
  if (!isObject(json)) throw badBody('it must be a JSON object');
  return { json, exactly: () => parseExactly(text as string) as JsonObject };
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `why` completes "The body is no inference request:". */
export function badBody(why: string): SwitchbackError {
  return new SwitchbackError('E_BODY', `The body is no inference request: ${why}.`);
}
