import { acceptRewrite } from '../../command/index.ts';
import type { AddVerbs } from '../add-verbs.ts';
import { stateOf, withOutput, withReason, withState } from '../options.ts';
import { outcomeText } from '../print/outcome.ts';

/** A person's word that a force-push was meant. */
export const addAcceptRewrite: AddVerbs = (program, terminal) => {
  withOutput(withReason(withState(program.command('accept-rewrite <commit>'))))
    .description('Go on from a history that was rewritten, at the commit where it stands now')
    .action(async (commit: string, flags: { state: string; output: string; reason?: string }) => {
      const { directory, environment, signal } = terminal;
      const state = stateOf(flags, terminal);
      const outcome = await acceptRewrite(
        { commit, reason: flags.reason },
        { state, directory, environment, signal },
      );
      terminal.out(flags.output === 'json' ? `${JSON.stringify(outcome, null, 2)}\n` : outcomeText(outcome));
    });
};
