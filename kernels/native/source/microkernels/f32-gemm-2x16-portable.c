#include "../microkernels.h"

enum { ROWS = 2 };

static inline __attribute__((always_inline)) void tile(const size_t rows, const size_t panels,
                                                       size_t depth, const float *a,
                                                       size_t aStride, const float *b,
                                                       size_t panelStride, float *c,
                                                       size_t cStride, const float *start) {
  (void)panels;
  (void)panelStride;
  float sums[ROWS][PANEL_CHANNELS];
  for (size_t row = 0; row < rows; row++) {
    const float *from = start ? start : c + row * cStride;
    memcpy(sums[row], from, sizeof sums[row]);
  }
  for (size_t k = 0; k < depth; k++) {
    for (size_t row = 0; row < rows; row++) {
      const float value = a[row * aStride];
      for (size_t channel = 0; channel < PANEL_CHANNELS; channel++) {
        const float product = value * b[channel];
        sums[row][channel] += product;
      }
    }
    a++;
    b += PANEL_CHANNELS;
  }
  for (size_t row = 0; row < rows; row++) {
    memcpy(c + row * cStride, sums[row], sizeof sums[row]);
  }
}

FLOAT_TILES_OF(ROWS_TO_2, PANELS_TO_1, multiplyFloat32Portable)
