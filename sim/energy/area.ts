import type { NetworkActivity } from './activity.js';
import { sramClass } from './energy.js';
import type { EnergyTable } from './table.js';

/** Area of the parts of an accelerator, in square metres; null: not given. */
export interface Area {
  /** Of the parts that are given: a lower bound where some are not. */
  readonly total: number;
  readonly components: {
    readonly inputSram: number | null;
    readonly weightSram: number | null;
    readonly outputSram: number | null;
    /** Of all processing elements. */
    readonly registerFile: number | null;
    readonly mac: number | null;
  };
}

/** Area of an accelerator's SRAMs and processing elements. */
export function acceleratorArea(
  { sramBytes, processingElements }: Pick<NetworkActivity, 'sramBytes' | 'processingElements'>,
  table: EnergyTable,
): Area {
  const sram = (bytes: number | undefined) => sramClass(table, bytes)?.area ?? null;
  const elements = (area: number | undefined) =>
    area === undefined ? null : area * processingElements;
  const components = {
    inputSram: sram(sramBytes.input),
    weightSram: sram(sramBytes.weights),
    outputSram: sram(sramBytes.output),
    registerFile: elements(table.registerFile?.area),
    mac: elements(table.mac?.area),
  };
  const given = Object.values(components).filter((area) => area !== null);
  return { total: given.reduce((sum, area) => sum + area, 0), components };
}
