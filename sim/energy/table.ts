/** Energy of reading and of writing; a figure that is missing is not given. */
export interface AccessEnergy {
  /** Joules. */
  readonly read?: number | undefined;
  readonly write?: number | undefined;
}

/** SRAMs of up to `upTo` bytes, and above the next smaller class. */
export interface SramClass extends AccessEnergy {
  readonly upTo: number;
  /** Bits that one access reads or writes at the given energy. */
  readonly accessBits: number;
  /** Square metres of one such SRAM. */
  readonly area?: number | undefined;
}

/** What the parts of an accelerator take. Every figure has a source or is the user's; what is missing stays missing. */
export interface EnergyTable {
  readonly name: string;
  /** Where the figures come from. */
  readonly source?: string | undefined;
  /** Ascending in size. */
  readonly sram: readonly SramClass[];
  /** The registers of a processing element that hold what stays in it; per access, area of one element's. */
  readonly registerFile?: (AccessEnergy & { readonly area?: number | undefined }) | undefined;
  /** The memory behind the SRAMs (DRAM). */
  readonly memory?: (AccessEnergy & { readonly accessBits: number }) | undefined;
  /**
   * One multiply-accumulate of each number format, with the registers that operands move through; area of one
   * processing element without its register file.
   */
  readonly mac?:
    | {
        readonly int8?: number | undefined;
        readonly float32?: number | undefined;
        readonly area?: number | undefined;
      }
    | undefined;
  /** Watts of the whole accelerator, whatever it does. */
  readonly leakage?: number | undefined;
}

/** Accelergy's Eyeriss-like example (docs/energy.md). */
export const ACCELERGY_65NM: EnergyTable = {
  name: 'accelergy-65nm',
  source: "Accelergy's Eyeriss-like example, 65 nm",
  sram: [{ upTo: 128 * 1024, accessBits: 64, read: 18.2e-12, write: 14.1e-12 }],
  registerFile: { read: 1.98e-12 },
  memory: { accessBits: 64, read: 512e-12, write: 512e-12 },
};

/** The only figures that come with Bitcell. */
export const ENERGY_TABLES: readonly EnergyTable[] = [ACCELERGY_65NM];
