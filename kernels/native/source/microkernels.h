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

AddProducts addProductsAvx512Vnni;
AddProducts addProductsAvxVnni;
AddProducts addProductsAvx2;
AddProducts addProductsPortable;

MultiplyFloat32 multiplyFloat32Avx512;
MultiplyFloat32 multiplyFloat32Avx2;
MultiplyFloat32 multiplyFloat32Portable;

/* The values of a row that one step takes, as one 32-bit lane has them. */
static inline int32_t loadTaps(const uint8_t *row) {
  int32_t taps;
  memcpy(&taps, row, sizeof taps);
  return taps;
}

/* The differences of two products, as one 32-bit lane has them. */
static inline int32_t pairOf(int32_t low, int32_t high) {
  return (int32_t)(((uint32_t)low & 0xffffu) | (uint32_t)high << 16);
}

/*
 * The function NAME of a file whose `addToStrip` takes a number of vectors that the compiler must know: strips of as many
 * vectors of CHANNELS channels as stay in registers, and what is left.
 */
#define STRIP_CASE(VECTORS)                                                                       \
  case VECTORS:                                                                                   \
    addToStrip(VECTORS, memory, products, count, offset, sums);                                   \
    break;

#define STRIPS_OF(STRIP_CASES, MOST_VECTORS, CHANNELS, NAME)                                      \
  void NAME(size_t channels, const uint8_t *memory, const Product *products, size_t count,        \
            size_t offset, int32_t *sums) {                                                       \
    while (channels >= CHANNELS) {                                                                \
      const size_t most = channels / CHANNELS;                                                    \
      const size_t vectors = most < MOST_VECTORS ? most : MOST_VECTORS;                           \
      switch (vectors) { STRIP_CASES }                                                            \
      channels -= vectors * CHANNELS;                                                             \
      offset += vectors * CHANNELS * sizeof(int16_t);                                             \
      sums += vectors * CHANNELS;                                                                 \
    }                                                                                             \
    if (channels > 0) addToRest(memory, products, count, offset, sums);                           \
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
