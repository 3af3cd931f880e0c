/** A rectangle in pixels, y downwards. */
export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** A mark that wants a label. */
export interface Labelled {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

export const LABEL_FONT_SIZE = 10;

const LINE = 12;

/** Between a mark and its label. */
const GAP = 7;

/** Places are tried in these steps, up and down. */
const STEP = 4;

/** The width of a label, by an estimate that few texts pass: no font is at hand. */
export function labelWidth(text: string): number {
  return Math.ceil(0.62 * LABEL_FONT_SIZE * text.length);
}

/**
 * A box for each label, in a panel of this size, of which no two overlap: each as near to its mark as there is room
 * that covers no obstacle, or, where there is none, no other label.
 *
 * @param obstacles in the order of their weight: the last ones are covered first
 * @returns undefined when the panel has no room
 */
export function placeLabels(
  marks: readonly Labelled[],
  obstacles: readonly (readonly Box[])[],
  panel: { readonly width: number; readonly height: number },
): Box[] | undefined {
  const placed: Box[] = [];
  for (const mark of marks) {
    const box = placeFor(mark, { placed, obstacles, panel });
    if (!box) return undefined;
    placed.push(box);
  }
  return placed;
}

function placeFor(
  mark: Labelled,
  {
    placed,
    obstacles,
    panel,
  }: {
    readonly placed: readonly Box[];
    readonly obstacles: readonly (readonly Box[])[];
    readonly panel: { readonly width: number; readonly height: number };
  },
): Box | undefined {
  const places = placesNear(mark, panel);
  for (let respected = obstacles.length; respected >= 0; respected -= 1) {
    const covered = [...placed, ...obstacles.slice(0, respected).flat()];
    // Far away from its mark a label says less than beside it over a bar.
    const most = respected === 0 ? places.length : Math.min(places.length, MOST_TRIED);
    const free = places.slice(0, most).find((box) => !covered.some((other) => overlap(box, other)));
    if (free) return free;
  }
  return undefined;
}

const MOST_TRIED = 60;

/** Places in the panel from the nearest on: to the right, to the left, above and below. */
function placesNear(
  { x, y, text }: Labelled,
  { width, height }: { readonly width: number; readonly height: number },
): Box[] {
  const wide = labelWidth(text);
  const lefts = [x + GAP, x - GAP - wide, Math.max(0, Math.min(width - wide, x - wide / 2))];
  const shifts = [0];
  for (let shift = STEP; shift <= height; shift += STEP) shifts.push(-shift, shift);
  return shifts
    .flatMap((shift) =>
      lefts.map((left) => ({
        left,
        right: left + wide,
        top: y + shift - LINE / 2,
        bottom: y + shift + LINE / 2,
      })),
    )
    .filter(
      ({ left, right, top, bottom }) => left >= 0 && right <= width && top >= 0 && bottom <= height,
    );
}

/** Whether two boxes have more than an edge in common. */
export function overlap(one: Box, other: Box): boolean {
  return (
    one.left < other.right &&
    other.left < one.right &&
    one.top < other.bottom &&
    other.top < one.bottom
  );
}
