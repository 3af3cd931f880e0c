import { Command } from 'commander';
import { unpackCifar10 } from '../../models/index.js';
import { addCommonOptions, type CommonOptions } from '../input/options.js';
import { printResult } from '../print/output.js';

export function dataCommand(): Command {
  const command = new Command('data')
    .description('Unpack CIFAR-10 into its binary files, once, and print their folder')
    .action(({ json }: CommonOptions) => {
      const folder = unpackCifar10();
      printResult(json, { folder }, () => folder);
    });
  return addCommonOptions(command);
}
