import { doctor } from '../../command/index.ts';
import type { AddVerbs } from '../add-verbs.ts';
import { type ReadFlags, readOptions, withOutput, withReading } from '../options.ts';
import { diagnosisText } from '../print/doctor.ts';
import { json } from '../print/json.ts';
import { slowly } from '../slowly.ts';
import { EXIT } from '../terminal.ts';

export const addDoctor: AddVerbs = (program, terminal, finish) => {
  withOutput(withReading(program.command('doctor')))
    .description('What is wrong with this machine, the repository and what runs, and what to do about it')
    .option('--lfs <url>', "LFS endpoint, where it is not the repository's own")
    .action(async (flags: ReadFlags & { lfs?: string }) => {
      using slow = slowly(terminal);
      const diagnosis = await doctor({
        ...readOptions(flags, terminal),
        lfs: flags.lfs,
        progress: slow.progress,
      });
      terminal.out(flags.output === 'json' ? json(diagnosis) : diagnosisText(diagnosis));
      finish(diagnosis.failed > 0 ? EXIT.differs : EXIT.ok);
    });
};
