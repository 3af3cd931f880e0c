#include <immintrin.h>

#include "../microkernels.h"

/*
 * Tiles of 16 rows: 4 of sums, 2 of activations and 2 of weights, all there are. A panel lies in memory as a tile of weights
 * does: a row for each step. The steps are a multiple of 16, so no tile is ever cut along them.
 */
enum { TILE_ROWS = 16, TILE_STEPS = 16, ROW_BYTES = 64 };

/* Palette 1: bytes of a row and number of rows of each of the 8 registers. */
typedef struct {
  uint8_t palette;
  uint8_t startRow;
  uint8_t reserved[14];
  uint16_t bytes[16];
  uint8_t rows[16];
} __attribute__((packed)) Configuration;

_Static_assert(sizeof(Configuration) == 64, "a tile configuration has 64 bytes");

/* Registers: 0 to 3 sums, by rows and then panels; 4 and 5 activations; 6 and 7 weights. */
static void configure(size_t firstRows, size_t secondRows) {
  Configuration configuration = {.palette = 1};
  const size_t rows[] = {firstRows, firstRows, secondRows, secondRows,
                         firstRows, secondRows, TILE_ROWS, TILE_ROWS};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    configuration.rows[i] = (uint8_t)rows[i];
    configuration.bytes[i] = rows[i] == 0 ? 0 : ROW_BYTES;
  }
  _tile_loadconfig(&configuration);
}

void multiplyAmx(size_t rows, size_t panels, size_t steps, const uint8_t *a, size_t aStride,
                 const int8_t *b, size_t panelStride, int32_t *c, size_t cStride,
                 const int32_t *start) {
  const size_t firstRows = rows < TILE_ROWS ? rows : TILE_ROWS;
  const size_t secondRows = rows - firstRows;
  const size_t stride = cStride * sizeof *c;
  if (start) {
    for (size_t row = 0; row < rows; row++) {
      memmove(c + row * cStride, start, panels * PANEL_CHANNELS * sizeof *c);
    }
  }
  configure(firstRows, secondRows);
  int32_t *const right = c + PANEL_CHANNELS;
  int32_t *const lower = c + TILE_ROWS * cStride;
  const uint8_t *const lowerA = a + TILE_ROWS * aStride;
  _tile_loadd(0, c, stride);
  if (panels > 1) _tile_loadd(1, right, stride);
  if (secondRows) _tile_loadd(2, lower, stride);
  if (secondRows && panels > 1) _tile_loadd(3, lower + PANEL_CHANNELS, stride);
  for (size_t step = 0; step < steps; step += TILE_STEPS) {
    _tile_loadd(4, a + step * STEP_TAPS, aStride);
    _tile_loadd(6, b + step * ROW_BYTES, ROW_BYTES);
    _tile_dpbusd(0, 4, 6);
    if (secondRows) {
      _tile_loadd(5, lowerA + step * STEP_TAPS, aStride);
      _tile_dpbusd(2, 5, 6);
    }
    if (panels > 1) {
      _tile_loadd(7, b + panelStride + step * ROW_BYTES, ROW_BYTES);
      _tile_dpbusd(1, 4, 7);
      if (secondRows) _tile_dpbusd(3, 5, 7);
    }
  }
  _tile_stored(0, c, stride);
  if (panels > 1) _tile_stored(1, right, stride);
  if (secondRows) _tile_stored(2, lower, stride);
  if (secondRows && panels > 1) _tile_stored(3, lower + PANEL_CHANNELS, stride);
  _tile_release();
}
