import { get, parseAnything } from '../../command/index.ts';
import type { AddVerbs } from '../add-verbs.ts';
import { type ReadFlags, readOptions, withOutput, withReading } from '../options.ts';
import { documentsText, settingsText } from '../print/get.ts';
import { json } from '../print/json.ts';
import { sourceText } from '../print/source.ts';
import { slowly } from '../slowly.ts';

export const addGet: AddVerbs = (program, terminal) => {
  withOutput(withReading(program.command('get <address>')))
    .description('The manifests of prod/screening, prod, screening or screening@1.3.0, as git has them')
    .option('--effective', 'each value that holds, with the file and line that say it', false)
    .action(async (address: string, flags: ReadFlags & { effective: boolean }) => {
      using slow = slowly(terminal);
      slow.progress('reading git');
      const found = await get(parseAnything(address), readOptions(flags, terminal));
      const text = (): string => (flags.effective ? settingsText(found) : documentsText(found));
      terminal.out(flags.output === 'json' ? json(found) : text());
      if (flags.output === 'text') terminal.err(sourceText(found.source));
    });
};
