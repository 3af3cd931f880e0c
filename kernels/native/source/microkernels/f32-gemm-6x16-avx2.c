#include <immintrin.h>

#include "../microkernels.h"

/* 12 accumulators. A product and a sum, not one fused operation: the contract asks for both roundings. */
enum { ROWS = 6, VECTORS = 2, LANES_OF_VECTOR = 8 };

static inline __attribute__((always_inline)) void tile(const size_t rows, const size_t panels,
                                                       size_t depth, const float *a,
                                                       size_t aStride, const float *b,
                                                       size_t panelStride, float *c,
                                                       size_t cStride, const float *start) {
  (void)panels;
  (void)panelStride;
  __m256 sums[ROWS][VECTORS];
  UNROLLED for (size_t row = 0; row < rows; row++) {
    const float *from = start ? start : c + row * cStride;
    UNROLLED for (size_t i = 0; i < VECTORS; i++) {
      sums[row][i] = _mm256_loadu_ps(from + i * LANES_OF_VECTOR);
    }
  }
  for (size_t k = 0; k < depth; k++) {
    __m256 weights[VECTORS];
    UNROLLED for (size_t i = 0; i < VECTORS; i++) {
      weights[i] = _mm256_loadu_ps(b + i * LANES_OF_VECTOR);
    }
    UNROLLED for (size_t row = 0; row < rows; row++) {
      const __m256 value = _mm256_set1_ps(a[row * aStride]);
      UNROLLED for (size_t i = 0; i < VECTORS; i++) {
        const __m256 products = _mm256_mul_ps(value, weights[i]);
        sums[row][i] = _mm256_add_ps(sums[row][i], products);
      }
    }
    a++;
    b += PANEL_CHANNELS;
  }
  UNROLLED for (size_t row = 0; row < rows; row++) {
    UNROLLED for (size_t i = 0; i < VECTORS; i++) {
      _mm256_storeu_ps(c + row * cStride + i * LANES_OF_VECTOR, sums[row][i]);
    }
  }
}

FLOAT_TILES_OF(ROWS_TO_6, PANELS_TO_1, multiplyFloat32Avx2)
