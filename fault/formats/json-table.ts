import { excerpt, InputError, parseJson, placeInJson, shownValue } from '../../core/index.js';
import { columnsOf, roleOf } from './columns.js';
import type { Fields } from './fields.js';
import type { Table } from './table.js';

/** Fields of an object under which a list of records is looked for. */
const LISTS = ['faults', 'fails', 'failures', 'records', 'data', 'cells'];

/** Records of a JSON text, and where they stand in it. */
interface Records {
  readonly names: readonly string[];
  readonly count: number;
  /** The value of a column of a record. */
  readonly valueOf: (record: number, column: number) => unknown;
  readonly pathOf: (record: number, column?: number) => readonly PropertyKey[];
  readonly labels: Readonly<Record<string, readonly string[]>>;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A list in JSON whose lines are its elements, each on a line of its own. */
function ofLines(text: string): string | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const areRecords = lines.length > 1 && lines.every((line) => /^\s*\{.*\}\s*$/.test(line));
  return areRecords ? `[${text.trimEnd().replace(/\}[ \t\r]*\n\s*(?=\{)/g, '},\n')}]` : undefined;
}

/**
 * The records of a table in JSON; undefined when it is an object of another form, such as a fault map of Bitcell.
 *
 * @param columnNames Names of the columns of records that are lists.
 * @throws InputError when it is no JSON, or its records have no names
 */
export function jsonTable(
  content: string,
  file: string,
  columnNames: readonly string[] | undefined,
): Table | undefined {
  const text = ofLines(content) ?? content;
  const root = parseJson(text, file);
  const placeOf = (path: readonly PropertyKey[]) => {
    const { line, column } = placeInJson(text, path);
    return `${file}:${line}:${column}`;
  };
  const records = recordsOf(root, columnNames, placeOf);
  if (records === undefined) return undefined;
  const { names, labels } = records;
  const columns = columnsOf(names, (index) => placeOf(records.pathOf(0, index)));
  return {
    columns,
    notes: () => (Object.keys(labels).length === 0 ? {} : { labels }),
    forEachRecord(visit) {
      const builder = createFieldBuilder();
      for (let record = 0; record < records.count; record += 1) {
        const place = (column?: number) => placeOf(records.pathOf(record, column));
        visit(
          builder.fields(
            columns.map((_, column) => textOfValue(records.valueOf(record, column))),
            place,
          ),
          undefined,
        );
      }
    },
  };
}

function textOfValue(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  return typeof value === 'number' ? `${value}` : JSON.stringify(value);
}

function recordsOf(
  root: unknown,
  columnNames: readonly string[] | undefined,
  placeOf: (path: readonly PropertyKey[]) => string,
): Records | undefined {
  if (Array.isArray(root)) return recordsOfList(root, [], {}, columnNames, placeOf);
  if (!isObject(root) || root.format !== undefined || root.geometry !== undefined) {
    return undefined;
  }
  const names = Object.keys(root);
  const orient = orientOfPandas(root);
  if (orient !== undefined) {
    throw new InputError(
      `${placeOf([])}: found a table as to_json of pandas writes it with orient="${orient}"; write it with orient="records", or with to_csv(index=False).`,
    );
  }
  if (
    names.some((name) => roleOf(name) !== undefined) &&
    names.every((name) => Array.isArray(root[name]))
  ) {
    return recordsOfColumns(root, names, placeOf);
  }
  const key = LISTS.find((name) => Array.isArray(root[name]));
  const list: unknown = key === undefined ? undefined : root[key];
  if (key === undefined || !Array.isArray(list)) return undefined;
  const labels = Object.fromEntries(
    names
      .filter((name) => name !== key)
      .map((name) => [name, [excerpt(textOfValue(root[name]))]] as const),
  );
  return recordsOfList(list, [key], labels, columnNames, placeOf);
}

/** The form of a table that pandas wrote, if it is one that is not read: by columns or lines that are objects, or split. */
function orientOfPandas(root: Readonly<Record<string, unknown>>): string | undefined {
  const hasRoles = (names: readonly string[]) => names.some((name) => roleOf(name) !== undefined);
  const { columns, index, data, ...others } = root;
  const isSplit = [columns, data].every(Array.isArray) && Object.keys(others).length === 0;
  if (isSplit && (index === undefined || Array.isArray(index))) return 'split';
  const values = Object.values(root);
  if (values.length === 0 || !values.every(isObject)) return undefined;
  if (hasRoles(Object.keys(root))) return 'columns';
  return hasRoles(Object.keys(Object(values[0]))) ? 'index' : undefined;
}

function recordsOfList(
  list: readonly unknown[],
  path: readonly PropertyKey[],
  labels: Readonly<Record<string, readonly string[]>>,
  columnNames: readonly string[] | undefined,
  placeOf: (path: readonly PropertyKey[]) => string,
): Records | undefined {
  const [first] = list;
  const pathOf =
    (names: readonly string[], areLists: boolean) => (record: number, column?: number) => [
      ...path,
      record,
      ...(column === undefined ? [] : [areLists ? column : names[column]]),
    ];
  if (Array.isArray(first)) {
    if (columnNames === undefined) {
      throw new InputError(
        `${placeOf([...path, 0])}: found ${shownValue(first)}, a list of ${first.length} values without names; name them, such as --columns bank,row,column.`,
      );
    }
    return {
      names: columnNames,
      count: list.length,
      labels,
      pathOf: pathOf(columnNames, true),
      valueOf(record, column) {
        const entry: unknown = list[record];
        if (Array.isArray(entry) && entry.length === columnNames.length) return entry[column];
        throw new InputError(
          `${placeOf([...path, record])}: found ${shownValue(entry)}; expected a list of ${columnNames.length} values.`,
        );
      },
    };
  }
  if (first !== undefined && !isObject(first)) {
    throw new InputError(
      `${placeOf([...path, 0])}: found ${shownValue(first)}; expected records such as {"bank": 0, "row": 1, "column": 2, "kind": "flip"}.`,
    );
  }
  if (columnNames !== undefined) {
    throw new InputError(
      `${placeOf(path)}: the records name their fields themselves; leave --columns away.`,
    );
  }
  const names = first === undefined ? ['bank', 'row', 'column'] : Object.keys(first);
  return {
    names,
    count: list.length,
    labels,
    pathOf: pathOf(names, false),
    valueOf(record, column) {
      const entry: unknown = list[record];
      if (isObject(entry)) {
        const other = Object.keys(entry).find((name) => !names.includes(name));
        if (other === undefined && names[column] in entry) return entry[names[column]];
      }
      throw new InputError(
        `${placeOf([...path, record])}: found ${shownValue(entry)}; expected a record with the fields ${names.join(', ')}.`,
      );
    },
  };
}

function recordsOfColumns(
  root: Readonly<Record<string, unknown>>,
  names: readonly string[],
  placeOf: (path: readonly PropertyKey[]) => string,
): Records {
  const lists = names.map((name): readonly unknown[] => {
    const list = root[name];
    return Array.isArray(list) ? list : [];
  });
  const count = lists[0].length;
  const uneven = lists.findIndex(({ length }) => length !== count);
  if (uneven >= 0) {
    throw new InputError(
      `${placeOf([names[uneven]])}: found a list of ${lists[uneven].length} values; expected ${count}, as many as in ${names[0]}.`,
    );
  }
  return {
    names,
    count,
    labels: {},
    valueOf: (record, column) => lists[column][record],
    pathOf: (record, column) => (column === undefined ? [] : [names[column], record]),
  };
}

const encoder = new TextEncoder();

/** Makes fields of texts. */
function createFieldBuilder() {
  const starts: number[] = [];
  const ends: number[] = [];
  return {
    fields(texts: readonly string[], place: (column?: number) => string): Fields {
      const bytes = encoder.encode(texts.join('\n'));
      let start = 0;
      texts.forEach((text, index) => {
        starts[index] = start;
        ends[index] = start + encoder.encode(text).length;
        start = ends[index] + 1;
      });
      return { bytes, starts, ends, count: texts.length, text: () => texts.join(','), place };
    },
  };
}
