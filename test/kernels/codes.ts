import { KERNEL_PROVIDERS, type KernelCode, PROVIDERS } from '../../kernels/index.js';

/** Code of every instruction set of every provider that this machine has. */
export const ALL_CODES: readonly KernelCode[] = KERNEL_PROVIDERS.map((name) => PROVIDERS[name])
  .filter((provider) => provider.unavailable() === undefined)
  .flatMap((provider) =>
    provider
      .instructionSets()
      .filter(({ missing }) => missing === undefined)
      .map(({ name }) => provider.load(name)),
  );
