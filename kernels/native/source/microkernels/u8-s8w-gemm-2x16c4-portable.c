#include "../microkernels.h"

/* Plain C, for processors that no other file serves. */
enum { ROWS = 2 };

static inline __attribute__((always_inline)) void tile(const size_t rows, const size_t panels,
                                                       size_t steps, const uint8_t *a,
                                                       size_t aStride, const int8_t *b,
                                                       size_t panelStride, int32_t *c,
                                                       size_t cStride, const int32_t *start) {
  (void)panels;
  (void)panelStride;
  uint32_t sums[ROWS][PANEL_CHANNELS];
  for (size_t row = 0; row < rows; row++) {
    const int32_t *from = start ? start : c + row * cStride;
    for (size_t channel = 0; channel < PANEL_CHANNELS; channel++) {
      sums[row][channel] = (uint32_t)from[channel];
    }
  }
  for (size_t step = 0; step < steps; step++) {
    for (size_t row = 0; row < rows; row++) {
      const uint8_t *taps = a + row * aStride;
      for (size_t channel = 0; channel < PANEL_CHANNELS; channel++) {
        const int8_t *weights = b + channel * STEP_TAPS;
        sums[row][channel] += (uint32_t)(taps[0] * weights[0] + taps[1] * weights[1] +
                                         taps[2] * weights[2] + taps[3] * weights[3]);
      }
    }
    a += STEP_TAPS;
    b += PANEL_CHANNELS * STEP_TAPS;
  }
  for (size_t row = 0; row < rows; row++) {
    for (size_t channel = 0; channel < PANEL_CHANNELS; channel++) {
      c[row * cStride + channel] = (int32_t)sums[row][channel];
    }
  }
}

TILES_OF(ROWS_TO_2, PANELS_TO_1, multiplyPortable)
