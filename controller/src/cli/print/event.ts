import type { Event } from '@switchback-ml/schemas';
import { plain } from '@switchback-ml/schemas';
import { clockTime } from './age.ts';

const LONGEST_DATA = 200;

/** One event on one line: when, what, of which thing, by whom, and what is known of it. */
export function eventLine({ at, type, subject, actor, commit, data }: Event, now: number): string {
  const by = actor === 'controller' ? '' : ` by ${actor}`;
  const of = commit === undefined ? '' : ` ${commit.slice(0, 7)}`;
  return plain(`${clockTime(at, now)}  ${type.padEnd(20)}  ${subject}${of}${by}${dataText(data)}`);
}

function dataText(data: Event['data']): string {
  const parts = Object.entries(data).flatMap(([name, value]) => {
    if (value === null || value === undefined) return [];
    return [`${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`];
  });
  const text = parts.join(' ');
  if (text === '') return '';
  return `  ${text.length > LONGEST_DATA ? `${text.slice(0, LONGEST_DATA)}…` : text}`;
}
