import type { Command } from 'commander';
import { KERNEL_PROVIDERS, setKernelProvider } from '../../kernels/index.js';
import { choice } from './options.js';

/** The option of every command that runs networks. */
export function addKernels(command: Command): Command {
  return command
    .addOption(
      choice(
        '--kernels <provider>',
        'what computes the layers; the results are the same (default: native where there is one for this machine, else wasm)',
        KERNEL_PROVIDERS,
      ),
    )
    .hook('preAction', (_, action) => setKernelProvider(action.opts().kernels));
}
