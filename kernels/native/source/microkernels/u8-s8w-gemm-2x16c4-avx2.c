#include <immintrin.h>

#include "../microkernels.h"

/*
 * vpmaddubsw saturates at 16 bits, so both operands are widened to 16 bits first. A vector of 16 widened weights holds 4
 * channels of 4 taps; vpmaddwd leaves two sums a channel, which are added at the end.
 */
enum { ROWS = 2, VECTORS = 4 };

static inline __attribute__((always_inline)) void tile(const size_t rows, const size_t panels,
                                                       size_t steps, const uint8_t *a,
                                                       size_t aStride, const int8_t *b,
                                                       size_t panelStride, int32_t *c,
                                                       size_t cStride, const int32_t *start) {
  (void)panels;
  (void)panelStride;
  __m256i sums[ROWS][VECTORS];
  UNROLLED for (size_t row = 0; row < rows; row++) {
    UNROLLED for (size_t i = 0; i < VECTORS; i++) sums[row][i] = _mm256_setzero_si256();
  }
  for (size_t step = 0; step < steps; step++) {
    __m256i taps[ROWS];
    UNROLLED for (size_t row = 0; row < rows; row++) {
      taps[row] = _mm256_cvtepu8_epi16(_mm_set1_epi32(loadTaps(a + row * aStride)));
    }
    UNROLLED for (size_t i = 0; i < VECTORS; i++) {
      const __m256i weights = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)b + i));
      UNROLLED for (size_t row = 0; row < rows; row++) {
        const __m256i products = _mm256_madd_epi16(taps[row], weights);
        sums[row][i] = _mm256_add_epi32(sums[row][i], products);
      }
    }
    a += STEP_TAPS;
    b += PANEL_CHANNELS * STEP_TAPS;
  }
  UNROLLED for (size_t row = 0; row < rows; row++) {
    const int32_t *from = start ? start : c + row * cStride;
    UNROLLED for (size_t half = 0; half < 2; half++) {
      // Channels 0 1 4 5 2 3 6 7 of the half, then in their order.
      const __m256i mixed = _mm256_hadd_epi32(sums[row][2 * half], sums[row][2 * half + 1]);
      const __m256i ordered = _mm256_permute4x64_epi64(mixed, 0xd8);
      const __m256i before = _mm256_loadu_si256((const __m256i *)from + half);
      _mm256_storeu_si256((__m256i *)(c + row * cStride) + half,
                          _mm256_add_epi32(before, ordered));
    }
  }
}

TILES_OF(ROWS_TO_2, PANELS_TO_1, multiplyAvx2)
