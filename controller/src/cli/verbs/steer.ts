import { parseDeployment, type SteerVerb, steer } from '../../command/index.ts';
import type { AddVerbs } from '../add-verbs.ts';
import { stateOf, withOutput, withReason, withState } from '../options.ts';
import { outcomeText } from '../print/outcome.ts';

const VERBS: Record<Exclude<SteerVerb, 'rollback'>, string> = {
  pause: 'Keep the candidate of a deployment such as prod/screening at its present weight',
  resume: 'Let a paused rollout go on',
  abort: 'Leave the candidate that is being rolled out, at once',
};

/** Verbs that the running controller carries out at once. */
export const addSteerVerbs: AddVerbs = (program, terminal) => {
  for (const [verb, description] of Object.entries(VERBS)) {
    withOutput(withReason(withState(program.command(`${verb} <deployment>`))))
      .description(description)
      .action(async (deployment: string, flags: { state: string; output: string; reason?: string }) => {
        const { directory, environment, signal } = terminal;
        const request = { ...parseDeployment(deployment), reason: flags.reason };
        const outcome = await steer(verb as SteerVerb, request, {
          state: stateOf(flags, terminal),
          directory,
          environment,
          signal,
        });
        terminal.out(
          flags.output === 'json' ? `${JSON.stringify(outcome, null, 2)}\n` : outcomeText(outcome),
        );
      });
  }
};
