import { InputError } from '../../core/index.js';
import type { VoltageTable } from './fault-model.js';

/**
 * Fault rate at a supply voltage: the table's own at its voltages, between two of them log-linear (the
 * logarithm of the rate is linear in the voltage).
 *
 * @param table Falling voltages in volts, with rates that never fall.
 * @param voltage In volts.
 * @throws InputError outside the table: rates are never extrapolated.
 */
export function rateAtVoltage(table: VoltageTable, voltage: number): number {
  const lower = table.findIndex((point) => point.voltage <= voltage);
  if (lower >= 0 && table[lower].voltage === voltage) return table[lower].rate;
  if (lower <= 0) {
    throw new InputError(
      `The voltage is ${voltage} V, but the table of rates reaches from ${table[table.length - 1].voltage} V to ${table[0].voltage} V; rates are not extrapolated.`,
    );
  }
  const [above, below] = [table[lower - 1], table[lower]];
  const share = (above.voltage - voltage) / (above.voltage - below.voltage);
  const rate = above.rate * (below.rate / above.rate) ** share;
  // Rounding must not take the rate out of the interval, or maps would not be nested.
  return Math.min(below.rate, Math.max(above.rate, rate));
}
