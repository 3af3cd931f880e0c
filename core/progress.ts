/** Called by long work after each step; `done` never decreases and ends at `total`. */
export type ProgressListener = (done: number, total: number) => void;
