import { type Command, InvalidArgumentError } from 'commander';
import { choice, decimalWhere, list, option, wholeNumber } from './options.js';

/** How samples are judged. */
export function addTaskOptions(command: Command): Command {
  return command
    .addOption(
      choice('--task <kind>', 'what outputs are (default: as outputs and labels tell)', [
        ...['classification', 'regression', 'anomaly'],
      ]),
    )
    .addOption(
      option(
        '--top-k <k>',
        'a sample is right where its class is among so many largest scores (default: 1)',
      ).argParser(wholeNumber(1)),
    )
    .addOption(
      option(
        '--tolerance <a[,r]>',
        'a sample is right where |y − t| ≤ a + r·|t| of each of its values (default: 1 % of the largest)',
      ).argParser(tolerance),
    )
    .addOption(
      option(
        '--anomaly-threshold <t>',
        'mean squared difference of output and input above which a sample is anomalous',
      ).argParser(atLeastZero),
    )
    .addOption(option('--output-name <name>', 'the output that is judged (default: all)'));
}

function atLeastZero(text: string): number {
  return decimalWhere(text, (value) => value >= 0, `"${text}" is not a number of at least 0.`);
}

function tolerance(text: string): number | [absolute: number, relative: number] {
  const [absolute, relative, ...others] = list(text).map(atLeastZero);
  if (others.length > 0) {
    throw new InvalidArgumentError('Expected A or A,R: an absolute and a relative tolerance.');
  }
  return relative === undefined ? absolute : [absolute, relative];
}
