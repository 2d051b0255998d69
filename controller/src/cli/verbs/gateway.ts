import { resolve } from 'node:path';
import { gateway } from '../../command/index.ts';
import type { AddVerbs } from '../add-verbs.ts';
import { numberBetween, withOutput } from '../options.ts';
import { logLineText } from '../print/log-line.ts';

interface Flags {
  runtimes: string;
  port?: number;
  host?: string;
  connections?: number;
  output: 'text' | 'json';
}

/** In the foreground of a terminal, or of whatever keeps services. */
export const addGateway: AddVerbs = (program, terminal) => {
  withOutput(program.command('gateway'))
    .description('One address before many runtimes, until Ctrl-C')
    .requiredOption('--runtimes <file>', 'the list of runtimes, looked at again each second')
    .option('--port <number>', 'what to listen on; 0: any free one (default: 4180)', numberBetween(0, 65_535))
    .option('--host <address>', 'what to listen on (default: 127.0.0.1)')
    .option('--connections <number>', 'to each runtime at one time (default: 256)', numberBetween(1, 10_000))
    .action(async ({ runtimes, output, ...flags }: Flags) => {
      const { directory, environment, signal } = terminal;
      await gateway({
        ...flags,
        runtimes: resolve(directory, runtimes),
        environment,
        signal,
        onLine: line => terminal.out(`${output === 'json' ? JSON.stringify(line) : logLineText(line)}\n`),
      });
    });
};
