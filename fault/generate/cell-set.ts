/** A growing set of distinct cell indices. */
export interface CellSet {
  readonly size: number;
  /** False when the cell was there already. */
  add(cell: number): boolean;
  has(cell: number): boolean;
  /** All cells so far, ascending, in a new array. */
  sorted(): Float64Array<ArrayBuffer>;
}

/** A bitset costs `cells` / 8 bytes; a table at most 40 bytes per member (its slots and its list). */
const CELLS_PER_MEMBER_OF_TABLE = 256;

/**
 * A set of cells of a memory, with memory in proportion to its members: a bitset where they are
 * dense (about 32 bytes a member or less), a hash table where they are sparse.
 *
 * @param cells Number of cells of the memory.
 * @param capacity Number of members that the set will never exceed.
 */
export function createCellSet(cells: number, capacity: number): CellSet {
  return capacity > cells / CELLS_PER_MEMBER_OF_TABLE
    ? createBitset(cells)
    : createHashTable(capacity);
}

function createBitset(cells: number): CellSet {
  const words = new Uint32Array(Math.ceil(cells / 32));
  let size = 0;

  return {
    get size() {
      return size;
    },
    add(cell) {
      // No shift, because indices may exceed 32 bits; no %, because it is slow for float64.
      const word = Math.floor(cell / 32);
      const bit = 1 << (cell - word * 32);
      const before = words[word];
      if ((before & bit) !== 0) return false;
      words[word] = before | bit;
      size += 1;
      return true;
    },
    has(cell) {
      const word = Math.floor(cell / 32);
      return (words[word] & (1 << (cell - word * 32))) !== 0;
    },
    sorted() {
      const members = new Float64Array(size);
      let count = 0;
      for (let word = 0; word < words.length; word += 1) {
        for (let rest = words[word]; rest !== 0; rest &= rest - 1) {
          members[count] = word * 32 + (31 - Math.clz32(rest & -rest));
          count += 1;
        }
      }
      return members;
    },
  };
}

/** Open addressing with linear probing, at most half full. */
function createHashTable(capacity: number): CellSet {
  const bits = Math.ceil(Math.log2(2 * capacity + 1));
  const slotCount = 2 ** bits;
  /** Cell + 1, so that 0 marks a free slot. */
  const slots = new Float64Array(slotCount);
  const members = new Float64Array(capacity);
  let size = 0;

  /** The slot that holds a cell, or the free one where it would go. */
  function slotOf(cell: number): number {
    let slot = cell - Math.floor(cell / slotCount) * slotCount;
    while (slots[slot] !== 0 && slots[slot] !== cell + 1) slot = (slot + 1) % slotCount;
    return slot;
  }

  return {
    get size() {
      return size;
    },
    add(cell) {
      const slot = slotOf(cell);
      if (slots[slot] !== 0) return false;
      slots[slot] = cell + 1;
      members[size] = cell;
      size += 1;
      return true;
    },
    has(cell) {
      return slots[slotOf(cell)] !== 0;
    },
    sorted() {
      return members.slice(0, size).sort();
    },
  };
}
