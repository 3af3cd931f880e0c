import { rateText } from '../core/index.js';
import { type Chart, chartOf, type Panel } from './chart.js';
import { type Box, LABEL_FONT_SIZE, labelWidth, placeLabels } from './label-layout.js';
import { MARGIN, type PriceAxis, priceAxis } from './price-axis.js';
import { networkTexts, type PriceAndLossRow, percentage } from './rows.js';

type Member = PriceAndLossRow['front'][number];

const UNITS: Readonly<Record<PriceAndLossRow['priceUnit'], string>> = {
  cells: 'memory cells beside the data',
  energy: 'joules an image',
  xorGates: '2-input XOR gates',
};

const STATES = ['on the Pareto front', 'beaten', 'price not given'] as const;
const COLOR = {
  field: 'state',
  type: 'nominal' as const,
  title: null,
  scale: { domain: [...STATES], range: ['#0072b2', '#888888', '#d55e00'] },
};

const LEAST_HEIGHT = 240;
const MOST_CHARACTERS = 36;

/**
 * What mitigations take and the mean accuracy that is lost with them: a panel for each condition, in it a point with its
 * interval for each mitigation, and the Pareto front as a line. Those of one price stand side by side; labels do not
 * overlap.
 */
export function priceAndLoss(rows: readonly PriceAndLossRow[], title: string): Chart {
  return chartOf(rows.map(panelOf), {
    title,
    subtitle:
      'Bars: 95 % for all of a panel together. Filled: told from chance to be on the front, or not to be; hollow: not told.',
    columns: 2,
  });
}

/** A mitigation in pixels. */
interface Point {
  readonly member: Member;
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

function panelOf(row: PriceAndLossRow): Panel {
  const { front, priceUnit } = row;
  const lacking = front.filter(({ price }) => price === null).map(({ mitigation }) => mitigation);
  const strip = 40 + Math.max(30, ...lacking.map((name) => labelWidth(shortened(name))));
  const axis = priceAxis(
    front.map(({ price }) => price),
    strip,
  );
  const { height, losses, points, labels } = layOut(front, axis);
  const x = {
    field: 'x',
    type: 'quantitative' as const,
    title: `price: ${UNITS[priceUnit]}`,
    scale: { domain: [0, axis.width], nice: false, zero: false },
    axis: { values: axis.ticks.map(({ at }) => at), labelExpr: labelExpression(axis), grid: false },
  };
  const y = {
    field: 'mean',
    type: 'quantitative' as const,
    title: 'mean loss of accuracy, points',
    scale: { domain: [losses.low, losses.high], nice: false, zero: false },
  };
  const ofPixel = (pixel: number) => losses.high - (pixel / height) * (losses.high - losses.low);
  return {
    title: { text: titleLines(row), fontSize: 10 },
    width: axis.width,
    height,
    data: { values: points.map(plotted) },
    layer: [
      {
        data: { values: axis.borders.map((at) => ({ x: at })) },
        mark: { type: 'rule', color: '#cccccc', strokeDash: [3, 3] },
        encoding: { x },
      },
      {
        transform: [{ filter: `datum.state === '${STATES[0]}'` }],
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: 1, color: '#0072b2' },
        encoding: { x, y },
      },
      {
        mark: { type: 'rule', strokeWidth: 1, opacity: 0.6 },
        encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color: COLOR },
      },
      {
        data: { values: leadersOf(points, labels, ofPixel) },
        mark: { type: 'rule', strokeWidth: 0.5, color: '#666666' },
        encoding: { x, y: { ...y, field: 'y' }, x2: { field: 'x2' }, y2: { field: 'y2' } },
      },
      ...[true, false].map((isTold) => ({
        transform: [{ filter: `datum.told === ${isTold}` }],
        mark: {
          type: 'point' as const,
          size: 36,
          opacity: 1,
          ...(isTold ? { filled: true } : { fill: 'white', strokeWidth: 1.5 }),
        },
        encoding: { x, y, color: COLOR },
      })),
      {
        data: {
          values: labels.map(({ left, top, bottom }, at) => ({
            ...{ x: left, y: ofPixel((top + bottom) / 2), name: points[at].text },
          })),
        },
        mark: { type: 'text', align: 'left', baseline: 'middle', fontSize: LABEL_FONT_SIZE },
        encoding: { x, y: { ...y, field: 'y' }, text: { field: 'name', type: 'nominal' } },
      },
    ],
  };
}

/** Between points of one price, so that their bars stand side by side; many stand closer. */
const ASIDE = 5;

/** Pixels that each stands aside of its price. */
function shiftsOf(front: readonly Member[]): number[] {
  return front.map(({ price }, at) => {
    const equal = front.flatMap((other, place) => (other.price === price ? [place] : []));
    const step = Math.min(ASIDE, (2 * MARGIN - 10) / equal.length);
    return step * (equal.indexOf(at) - (equal.length - 1) / 2);
  });
}

/** Points and their labels in a panel that is as high as they need. */
function layOut(front: readonly Member[], axis: PriceAxis) {
  const losses = rangeOf(front);
  const shifts = shiftsOf(front);
  const toPoint = (height: number) => (member: Member, at: number) => ({
    member,
    text: shortened(member.mitigation),
    x: axis.place(member.price) + shifts[at],
    y: (height * (losses.high - percentage(member.drop.mean))) / (losses.high - losses.low),
  });
  for (let height = LEAST_HEIGHT; ; height *= 1.25) {
    const points: Point[] = front.map(toPoint(height));
    const labels = placeLabels(points, [points.map(markBox), barBoxes(points, height, losses)], {
      width: axis.width,
      height,
    });
    if (labels) return { height, losses, points, labels };
  }
}

function rangeOf(front: readonly Member[]): { readonly low: number; readonly high: number } {
  const low = Math.min(...front.map(({ drop }) => percentage(drop.low)));
  const high = Math.max(...front.map(({ drop }) => percentage(drop.high)));
  const margin = Math.max(0.5, 0.08 * (high - low));
  return { low: low - margin, high: high + margin };
}

function markBox({ x, y }: Point): Box {
  return { left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 };
}

function barBoxes(
  points: readonly Point[],
  height: number,
  { low, high }: { readonly low: number; readonly high: number },
): Box[] {
  const pixel = (loss: number) => (height * (high - percentage(loss))) / (high - low);
  return points.map(({ member: { drop }, x }) => ({
    ...{ left: x - 1, right: x + 1, top: pixel(drop.high), bottom: pixel(drop.low) },
  }));
}

function plotted({ member, x }: Point) {
  const { mitigation, drop, isOnFront, toldApart } = member;
  return {
    mitigation,
    x,
    mean: percentage(drop.mean),
    low: percentage(drop.low),
    high: percentage(drop.high),
    state: isOnFront === null ? STATES[2] : isOnFront ? STATES[0] : STATES[1],
    told: toldApart ?? false,
  };
}

/** Lines from points to labels that are not beside them. */
function leadersOf(
  points: readonly Point[],
  labels: readonly Box[],
  ofPixel: (pixel: number) => number,
) {
  return points.flatMap(({ x, y }, at) => {
    const { left, right, top, bottom } = labels[at];
    const middle = (top + bottom) / 2;
    if (Math.abs(middle - y) <= 8) return [];
    const end = Math.max(left, Math.min(right, x));
    return [{ x, y: ofPixel(y), x2: end, y2: ofPixel(middle > y ? top : bottom) }];
  });
}

function labelExpression({ ticks }: PriceAxis): string {
  const cases = ticks.map(({ at, text }) => `datum.value === ${at} ? ${JSON.stringify(text)} : `);
  return `${cases.join('')}''`;
}

function titleLines(row: PriceAndLossRow): string[] {
  const { accelerator, faultModel, scope, rate, voltage } = row;
  const level = [...(voltage === undefined ? [] : [`${voltage} V`]), `rate ${rateText(rate)}`];
  return [
    [...networkTexts(row), accelerator].join(', '),
    `${[faultModel, scope, ...level].join(', ')}`,
  ];
}

function shortened(name: string): string {
  return name.length <= MOST_CHARACTERS ? name : `${name.slice(0, MOST_CHARACTERS - 1)}…`;
}
