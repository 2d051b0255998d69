import { resolve } from 'node:path';
import { parseNewModel, parseVersionLabel, register } from '../../command/index.ts';
import type { AddVerbs } from '../add-verbs.ts';
import {
  type GitFlags,
  gitOptions,
  numberBetween,
  oneOf,
  withGit,
  withOutput,
  withReason,
} from '../options.ts';
import { outcomeText } from '../print/outcome.ts';
import { slowly } from '../slowly.ts';

interface Flags extends GitFlags {
  output: 'text' | 'json';
  reason?: string;
  name: string;
  version: string;
  samples: string;
  tolerance?: number;
  rows?: 'synthetic' | 'consented' | 'public';
  facts?: string;
  metrics?: string;
  params?: string;
  lineage?: string;
  framework?: string;
  lfs?: string;
}

/** Adds a version to the model repository. */
export const addRegister: AddVerbs = (program, terminal) => {
  withOutput(withReason(withGit(program.command('register <model.onnx>'))))
    .description('Add a version: tried on samples, compared with the framework, weights to Git LFS')
    .requiredOption('--name <model>', 'name of the model, with its team if it is new: payments/fraud')
    .requiredOption('--version <label>', 'label of the version, such as 1.1.0')
    .requiredOption(
      '--samples <csv>',
      "rows with a header; columns named like outputs are the framework's answers",
    )
    .option(
      '--tolerance <number>',
      'of answers, |got - want| <= tolerance * max(1, |want|) (default: 0.00001)',
      numberBetween(1e-12, 1),
    )
    .option(
      '--rows <whose>',
      'whose rows the samples are: synthetic, consented, public',
      oneOf(['synthetic', 'consented', 'public']),
    )
    .option('--facts <file>', 'framework, parameters, lineage and evaluation in one file')
    .option('--metrics <file or list>', 'evaluation: a file, or auc=0.99,log_loss=0.09:lower')
    .option('--params <file or list>', 'parameters: a file, or depth=3,rate=0.1')
    .option('--lineage <file>', 'where it comes from')
    .option('--framework <name@version>', 'what it was trained with, such as scikit-learn@1.9')
    .option('--lfs <url>', "LFS endpoint, where it is not the repository's own")
    .action(async (file: string, flags: Flags) => {
      const from = (path: string): string => resolve(terminal.directory, path);
      const { model, folder } = parseNewModel(flags.name);
      using slow = slowly(terminal);
      slow.progress('opening the model');
      const outcome = await register(
        {
          file: from(file),
          model,
          folder,
          version: parseVersionLabel(flags.version),
          samples: from(flags.samples),
          tolerance: flags.tolerance,
          rows: flags.rows,
          facts: factSources(flags, from),
          lfs: flags.lfs,
          reason: flags.reason,
        },
        { ...gitOptions(flags, terminal), progress: slow.progress },
      );
      terminal.out(flags.output === 'json' ? `${JSON.stringify(outcome, null, 2)}\n` : outcomeText(outcome));
    });
};

/** What may be a file or the thing itself is told apart by the sign of equality. */
function factSources({ facts, metrics, params, lineage, framework }: Flags, from: (path: string) => string) {
  const fileOrList = (source: string | undefined): string | undefined =>
    source === undefined || source.includes('=') ? source : from(source);
  const file = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : from(path);
  return {
    facts: file(facts),
    metrics: fileOrList(metrics),
    params: fileOrList(params),
    lineage: file(lineage),
    framework,
  };
}
