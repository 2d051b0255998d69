import { plain } from '@switchback-ml/schemas';
import type { WhyNot } from '../../command/index.ts';
import { waitLines } from './status.ts';

/** Whether it is there, then each reason as the five questions of every wait. */
export function whyNotText(
  { environment, model, version, wanted, weight, reasons }: WhyNot,
  now: number,
): string {
  const address = `${environment}/${model}@${version}`;
  const share = weight > 0 ? `is there, with ${weight} % of the requests` : 'is not there';
  const instead =
    wanted === version ? ', and git asks for it' : `; git asks for ${wanted ?? 'nothing that can be read'}`;
  return `${[plain(`${address} ${share}${instead}`), ...reasons.flatMap(reason => waitLines(reason, now))].join('\n')}\n`;
}
