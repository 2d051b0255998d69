export type { Action, Plan } from './action.ts';
