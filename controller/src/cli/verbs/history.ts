import { history, historyAt, parseScope } from '../../command/index.ts';
import type { AddVerbs } from '../add-verbs.ts';
import { type ReadFlags, readOptions, withOutput, withReading } from '../options.ts';
import { historyText, thenText } from '../print/history.ts';
import { json } from '../print/json.ts';
import { sourceText } from '../print/source.ts';
import { slowly } from '../slowly.ts';

export const addHistory: AddVerbs = (program, terminal) => {
  withOutput(withReading(program.command('history [address]')))
    .description(
      'What ran in prod/screening, in prod or everywhere, and how it ended; with --at what ran then',
    )
    .option('--at <time>', 'a time: "2026-11-23T14:00:00Z", "2026-11-23 14:00", "2h ago", "yesterday 14:00"')
    .action(async (address: string | undefined, flags: ReadFlags & { at?: string }) => {
      const request = parseScope(address);
      const options = readOptions(flags, terminal);
      using slow = slowly(terminal);
      slow.progress('reading git');
      if (flags.at === undefined) {
        const found = await history(request, options);
        const text = (): string => historyText(found, terminal.now(), request.model !== undefined);
        terminal.out(flags.output === 'json' ? json(found) : text());
        if (flags.output === 'text') terminal.err(sourceText(found.source));
        return;
      }
      const then = await historyAt({ ...request, at: flags.at }, options);
      terminal.out(flags.output === 'json' ? json(then) : thenText(then));
      if (flags.output === 'text') terminal.err(sourceText(then.source));
    });
};
