import type { EnvironmentName, Instant, ModelName } from '@switchback-ml/schemas';
import { z } from 'zod';

export const LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const;
export type Level = (typeof LEVELS)[number];

/** One line of a log, of whichever process. */
export interface LogLine {
  at: Instant;
  level: Level;
  /** `controller`, or a runtime: `prod`, `prod.1`. */
  source: string;
  /** Of the runtime that wrote it. */
  environment?: EnvironmentName;
  message: string;
  /** What varies, as it was written. */
  fields: Readonly<Record<string, unknown>>;
}

/** Whose lines are asked for; nothing: all. */
export type LogScope =
  | { of: 'controller' }
  | { of: 'deployments'; environment?: EnvironmentName | undefined; model?: ModelName | undefined };

/** The first words of a process that can't speak JSON any more say why: nothing is less important. */
const OF_PLAIN_TEXT: Level = 'error';
const LEVEL_NUMBERS: Readonly<Record<number, Level>> = {
  10: 'debug',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

const Written = z.looseObject({
  level: z.union([z.string(), z.number()]),
  time: z.union([z.iso.datetime({ offset: true }), z.number()]),
  msg: z.string(),
});

/**
 * @param before when the line before it was written: plain text, such as a crash's last words, has no time
 * @param environment of the runtime that wrote it
 */
export function logLine(
  source: string,
  text: string,
  before: Instant,
  environment?: EnvironmentName,
): LogLine {
  const written = Written.safeParse(jsonIn(text)).data;
  const from = environment === undefined ? { source } : { source, environment };
  if (written === undefined) return { at: before, level: OF_PLAIN_TEXT, ...from, message: text, fields: {} };
  const { level, time, msg, ...fields } = written;
  return {
    at: typeof time === 'number' ? time : Date.parse(time),
    level: LEVELS.find(word => word === level) ?? LEVEL_NUMBERS[Number(level)] ?? 'info',
    ...from,
    message: msg,
    fields,
  };
}

/** Whether the line is of what is asked for: by its process, and by the fields that name a deployment. */
export function isOf({ source, environment: writer, fields }: LogLine, scope: LogScope): boolean {
  if (scope.of === 'controller') return source === 'controller';
  const { environment, model } = scope;
  if (environment === undefined) return true;
  const [ofEnvironment = writer, ofModel] = subjectOf(fields);
  if (ofEnvironment !== environment) return false;
  return model === undefined || ofModel === model;
}

/** `subject: prod/screening` or `prod`, else `environment` and `model`. */
function subjectOf({ subject, environment, model }: LogLine['fields']): (string | undefined)[] {
  if (typeof subject === 'string' && subject !== '') return subject.split('/');
  return [environment, model].map(part => (typeof part === 'string' ? part : undefined));
}

export function isAtLeast(level: Level, least: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
