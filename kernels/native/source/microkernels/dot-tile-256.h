/*
 * A tile of up to 6 rows and one panel by an instruction DOT (or two) that adds the products of a step to 8 sums. Included
 * by the files of that instruction, with DOT.
 */
#include <immintrin.h>

#include "../microkernels.h"

/* 12 accumulators, 2 vectors of weights and one of activations: 15 of 16 registers. */
enum { ROWS = 6, VECTORS = 2, LANES_OF_VECTOR = 8 };

static inline __attribute__((always_inline)) void tile(const size_t rows, const size_t panels,
                                                       size_t steps, const uint8_t *a,
                                                       size_t aStride, const int8_t *b,
                                                       size_t panelStride, int32_t *c,
                                                       size_t cStride, const int32_t *start) {
  (void)panels;
  (void)panelStride;
  __m256i sums[ROWS][VECTORS];
  UNROLLED for (size_t row = 0; row < rows; row++) {
    const int32_t *from = start ? start : c + row * cStride;
    UNROLLED for (size_t i = 0; i < VECTORS; i++) {
      sums[row][i] = _mm256_loadu_si256((const __m256i *)(from + i * LANES_OF_VECTOR));
    }
  }
  for (size_t step = 0; step < steps; step++) {
    __m256i weights[VECTORS];
    UNROLLED for (size_t i = 0; i < VECTORS; i++) {
      weights[i] = _mm256_loadu_si256((const __m256i *)b + i);
    }
    UNROLLED for (size_t row = 0; row < rows; row++) {
      const __m256i taps = _mm256_set1_epi32(loadTaps(a + row * aStride));
      UNROLLED for (size_t i = 0; i < VECTORS; i++) {
        sums[row][i] = DOT(sums[row][i], taps, weights[i]);
      }
    }
    a += STEP_TAPS;
    b += PANEL_CHANNELS * STEP_TAPS;
  }
  UNROLLED for (size_t row = 0; row < rows; row++) {
    UNROLLED for (size_t i = 0; i < VECTORS; i++) {
      _mm256_storeu_si256((__m256i *)(c + row * cStride + i * LANES_OF_VECTOR), sums[row][i]);
    }
  }
}
