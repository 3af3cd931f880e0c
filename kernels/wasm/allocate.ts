/** Reserves bytes and returns their address; nothing is ever freed. */
export type Allocate = (bytes: number) => number;
