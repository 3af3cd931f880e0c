/*
 * A tile of up to 6 rows and 4 panels by an instruction DOT that adds the products of a step to 16 sums. Included by the
 * files of that instruction, with DOT.
 */
#include <immintrin.h>

#include "../microkernels.h"

/* 24 accumulators, 4 vectors of weights and one of activations: 29 of 32 registers. */
enum { ROWS = 6, PANELS = 4 };

static inline __attribute__((always_inline)) void tile(const size_t rows, const size_t panels,
                                                       size_t steps, const uint8_t *a,
                                                       size_t aStride, const int8_t *b,
                                                       size_t panelStride, int32_t *c,
                                                       size_t cStride, const int32_t *start) {
  __m512i sums[ROWS][PANELS];
  UNROLLED for (size_t row = 0; row < rows; row++) {
    UNROLLED for (size_t panel = 0; panel < panels; panel++) {
      const int32_t *from = start ? start : c + row * cStride;
      sums[row][panel] = _mm512_loadu_si512(from + panel * PANEL_CHANNELS);
    }
  }
  for (size_t step = 0; step < steps; step++) {
    __m512i weights[PANELS];
    UNROLLED for (size_t panel = 0; panel < panels; panel++) {
      weights[panel] = _mm512_loadu_si512(b + panel * panelStride);
    }
    UNROLLED for (size_t row = 0; row < rows; row++) {
      const __m512i taps = _mm512_set1_epi32(loadTaps(a + row * aStride));
      UNROLLED for (size_t panel = 0; panel < panels; panel++) {
        sums[row][panel] = DOT(sums[row][panel], taps, weights[panel]);
      }
    }
    a += STEP_TAPS;
    b += PANEL_CHANNELS * STEP_TAPS;
  }
  UNROLLED for (size_t row = 0; row < rows; row++) {
    UNROLLED for (size_t panel = 0; panel < panels; panel++) {
      _mm512_storeu_si512(c + row * cStride + panel * PANEL_CHANNELS, sums[row][panel]);
    }
  }
}
