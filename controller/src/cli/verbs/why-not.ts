import { parseDeployedVersion, whyNot } from '../../command/index.ts';
import type { AddVerbs } from '../add-verbs.ts';
import { type StateFlags, stateOf, withOutput, withState } from '../options.ts';
import { json } from '../print/json.ts';
import { whyNotText } from '../print/why-not.ts';

export const addWhyNot: AddVerbs = (program, terminal) => {
  withOutput(withState(program.command('why-not <version>')))
    .description(
      'Why a version such as prod/screening@1.3.0 is not there now: every reason, and who can move it',
    )
    .action(async (version: string, flags: StateFlags) => {
      const { signal } = terminal;
      const found = await whyNot(parseDeployedVersion(version), { state: stateOf(flags, terminal), signal });
      terminal.out(flags.output === 'json' ? json(found) : whyNotText(found, terminal.now()));
    });
};
