#ifndef BITCELL_MICROKERNELS_H
#define BITCELL_MICROKERNELS_H

#include <string.h>

#include "instruction-set.h"

MultiplyInt8 multiplyAmx;
MultiplyInt8 multiplyAvx512Vnni;
MultiplyInt8 multiplyAvxVnni;
MultiplyInt8 multiplyAvx2;
MultiplyInt8 multiplyPortable;

MultiplyInt16 multiplyWordsAvx512Vnni;
MultiplyInt16 multiplyWordsAvxVnni;
MultiplyInt16 multiplyWordsAvx2;

MultiplyFloat32 multiplyFloat32Avx512;
MultiplyFloat32 multiplyFloat32Avx2;
MultiplyFloat32 multiplyFloat32Portable;

/* The values of a row that one step takes, as one 32-bit lane has them. */
static inline int32_t loadTaps(const uint8_t *row) {
  int32_t taps;
  memcpy(&taps, row, sizeof taps);
  return taps;
}

/*
 * The function NAME of a file whose `tile` takes numbers of rows and panels that the compiler must know: one copy of it
 * for each pair, so that all sums of a tile stay in registers.
 */
#define TILES_OF(ROWS_TO, PANELS_TO, NAME)                                                        \
  void NAME(size_t rows, size_t panels, size_t steps, const uint8_t *a, size_t aStride,           \
            const int8_t *b, size_t panelStride, int32_t *c, size_t cStride,                      \
            const int32_t *start) {                                                               \
    switch (panels) { PANELS_TO(ROWS_TO) }                                                        \
  }

#define FLOAT_TILES_OF(ROWS_TO, PANELS_TO, NAME)                                                  \
  void NAME(size_t rows, size_t panels, size_t steps, const float *a, size_t aStride,             \
            const float *b, size_t panelStride, float *c, size_t cStride, const float *start) {   \
    switch (panels) { PANELS_TO(ROWS_TO) }                                                        \
  }

#define TILE_CASE(ROWS, PANELS)                                                                   \
  case ROWS:                                                                                      \
    tile(ROWS, PANELS, steps, a, aStride, b, panelStride, c, cStride, start);                     \
    return;

#define PANELS_CASE(ROWS_TO, PANELS)                                                              \
  case PANELS:                                                                                    \
    switch (rows) { ROWS_TO(PANELS) }                                                             \
    return;

#define ROWS_TO_2(PANELS) TILE_CASE(1, PANELS) TILE_CASE(2, PANELS)
#define ROWS_TO_6(PANELS)                                                                         \
  ROWS_TO_2(PANELS)                                                                               \
  TILE_CASE(3, PANELS) TILE_CASE(4, PANELS) TILE_CASE(5, PANELS) TILE_CASE(6, PANELS)

#define PANELS_TO_1(ROWS_TO) PANELS_CASE(ROWS_TO, 1)
#define PANELS_TO_4(ROWS_TO)                                                                      \
  PANELS_TO_1(ROWS_TO)                                                                            \
  PANELS_CASE(ROWS_TO, 2) PANELS_CASE(ROWS_TO, 3) PANELS_CASE(ROWS_TO, 4)

#endif
