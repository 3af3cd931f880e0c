import { didYouMean, excerpt, InputError } from '../../core/index.js';
import { FAULT_KINDS } from '../fault-kind.js';

/** What a column of a table can say about a fault. */
const ROLES = [
  'bank',
  'row',
  'column',
  'kind',
  'address',
  'bit',
  'mask',
  'expected',
  'actual',
] as const;

export type Role = (typeof ROLES)[number];

/** The names by which people and tools call them, in small letters without blanks, `_` and `-`. */
const NAMES: Readonly<Record<Role, readonly string[]>> = {
  bank: ['bank', 'banks', 'block', 'bram', 'bankindex', 'bankid'],
  row: ['row', 'rows', 'wordline', 'wl', 'rowindex', 'rowid'],
  column: ['column', 'columns', 'col', 'cols', 'bitline', 'bl', 'columnindex', 'colindex'],
  kind: ['kind', 'type', 'fault', 'faultkind', 'faulttype', 'faultmodel', 'defect', 'failuretype'],
  address: ['address', 'addr', 'adr', 'add', 'failaddress', 'failaddr'],
  bit: ['bit', 'bitindex', 'bitposition', 'bitnumber', 'failbit', 'failingbit', 'databit'],
  mask: ['failbitmask', 'mask', 'failmask', 'bitmask', 'failbits', 'failingbits'],
  expected: ['expected', 'exp', 'expect', 'expecteddata', 'expdata', 'golden', 'written'],
  actual: ['actual', 'act', 'actualdata', 'actdata', 'read', 'readdata', 'got', 'observed'],
};

/** A column: what it says of a fault, a label (its name), or nothing. */
export interface Column {
  readonly role?: Role;
  readonly label?: string;
}

/** A name without what people write in different ways. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '');
}

/** The role that a name of a column means. */
export function roleOf(name: string): Role | undefined {
  const plain = plainName(name);
  return ROLES.find((role) => NAMES[role].includes(plain));
}

/** The labels that tell one measured map from another, with the names by which they are called. */
const CONDITION_NAMES = {
  die: ['die', 'dieid', 'chip', 'chipid', 'device', 'deviceid', 'dut', 'sample'],
  lot: ['lot', 'lotid'],
  wafer: ['wafer', 'waferid'],
  x: ['x', 'diex'],
  y: ['y', 'diey'],
  voltage: ['voltage', 'vdd', 'vcc', 'volt', 'volts', 'supply', 'supplyvoltage', 'v'],
} as const;

/** A label that tells one measured map from another. */
export type ConditionName = keyof typeof CONDITION_NAMES;

export const CONDITION_LABELS = Object.keys(CONDITION_NAMES) as readonly ConditionName[];

/** What a file says of the die and its voltage: texts as they stand there. */
export type ConditionLabels = Readonly<Partial<Record<ConditionName, string>>>;

/** Which of die, lot, wafer, x, y and voltage a label is, if one. */
export function conditionOf(label: string): ConditionName | undefined {
  const plain = plainName(label);
  return CONDITION_LABELS.find((name) => CONDITION_NAMES[name].some((known) => known === plain));
}

const ADDRESS_FORMS = 'address,bit; address,fail-bit-mask; or address,expected,actual';
const EXPECTED = `the columns bank,row,column,kind (kind, and bank where there is one, may be left out); ${ADDRESS_FORMS}`;

/**
 * The columns that names stand for, which must say where faults lie.
 *
 * @param names Of all columns; `-` and nothing for one without a meaning.
 * @param place Where the name with an index stands, or all of them.
 * @throws InputError when a name is there twice, or it is not said where the faults lie
 */
export function columnsOf(
  names: readonly string[],
  place: (index?: number) => string,
): readonly Column[] {
  const seen = new Set<string>();
  const columns = names.map((name, index): Column => {
    if (name === '' || name === '-') return {};
    const role = roleOf(name);
    const key = role ?? name;
    if (seen.has(key)) {
      throw new InputError(
        `${place(index)}: column "${excerpt(key)}" a second time; expected it once.`,
      );
    }
    seen.add(key);
    return role ? { role } : { label: name };
  });
  requireForm(names, columns, place);
  return columns;
}

/** Sets of roles that say where a fault lies, and the roles that may stand beside them. */
const FORMS: readonly { readonly needs: readonly Role[]; readonly may: readonly Role[] }[] = [
  { needs: ['row', 'column'], may: ['bank', 'kind'] },
  { needs: ['address', 'bit'], may: ['bank', 'kind'] },
  { needs: ['address', 'mask'], may: ['bank', 'kind'] },
  { needs: ['address', 'expected', 'actual'], may: ['bank'] },
];

function requireForm(
  names: readonly string[],
  columns: readonly Column[],
  place: (index?: number) => string,
): void {
  const roles = columns.flatMap(({ role }) => role ?? []);
  const form = FORMS.find(({ needs }) => needs.every((role) => roles.includes(role)));
  if (form === undefined) {
    const near = names
      .filter((name) => name !== '' && roleOf(name) === undefined)
      .map((name) => ({ name, hint: didYouMean(plainName(name), ROLES) }))
      .find(({ hint }) => hint !== '');
    const unknown = near ? `unknown column "${excerpt(near.name)}"${near.hint}` : undefined;
    const index = near ? names.indexOf(near.name) : undefined;
    const found = unknown ?? `found "${excerpt(names.join(','))}"`;
    throw new InputError(`${place(index)}: ${found}; expected ${EXPECTED}.`);
  }
  const other = columns.findIndex(
    ({ role }) => role !== undefined && !form.needs.includes(role) && !form.may.includes(role),
  );
  if (other >= 0) {
    throw new InputError(
      `${place(other)}: column "${excerpt(names[other])}" beside ${form.needs.join(' and ')}; expected ${EXPECTED}.`,
    );
  }
  requireNoSlip(names, roles, place);
}

/** A label that is nearly a role which is missing would be lost in silence. */
function requireNoSlip(
  names: readonly string[],
  roles: readonly Role[],
  place: (index?: number) => string,
): void {
  names.forEach((name, index) => {
    if (roleOf(name) !== undefined || conditionOf(name) !== undefined) return;
    const missing = (['bank', 'kind'] as const).filter((role) => !roles.includes(role));
    const hint = didYouMean(plainName(name), missing);
    if (hint !== '') {
      throw new InputError(
        `${place(index)}: unknown column "${excerpt(name)}"${hint}; give the column that name or another one.`,
      );
    }
  });
}

const KIND_NAMES: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries({
    'stuck-at-0': ['stuckat0', 'sa0', 'saf0', 'stuck0', 'stuckatzero', '1>0', '1to0'],
    'stuck-at-1': ['stuckat1', 'sa1', 'saf1', 'stuck1', 'stuckatone', '0>1', '0to1'],
    flip: ['flip', 'bitflip'],
  } satisfies Record<(typeof FAULT_KINDS)[number], readonly string[]>).flatMap(([, names], kind) =>
    names.map((name) => [name, kind]),
  ),
);

/** The kind that a text names, as an index into FAULT_KINDS; undefined when it names none. */
export function kindNamed(text: string): number | undefined {
  const plain = plainName(text);
  return Object.hasOwn(KIND_NAMES, plain) ? KIND_NAMES[plain] : undefined;
}

/** What a kind may be called, for messages. */
export const KINDS_EXPECTED = `one of ${FAULT_KINDS.join(', ')} (SA0, SA1)`;
