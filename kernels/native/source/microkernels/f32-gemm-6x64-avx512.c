#include <immintrin.h>

#include "../microkernels.h"

/* 24 accumulators. A product and a sum, not one fused operation: the contract asks for both roundings. */
enum { ROWS = 6, PANELS = 4 };

static inline __attribute__((always_inline)) void tile(const size_t rows, const size_t panels,
                                                       size_t depth, const float *a,
                                                       size_t aStride, const float *b,
                                                       size_t panelStride, float *c,
                                                       size_t cStride, const float *start) {
  __m512 sums[ROWS][PANELS];
  UNROLLED for (size_t row = 0; row < rows; row++) {
    const float *from = start ? start : c + row * cStride;
    UNROLLED for (size_t panel = 0; panel < panels; panel++) {
      sums[row][panel] = _mm512_loadu_ps(from + panel * PANEL_CHANNELS);
    }
  }
  for (size_t k = 0; k < depth; k++) {
    __m512 weights[PANELS];
    UNROLLED for (size_t panel = 0; panel < panels; panel++) {
      weights[panel] = _mm512_loadu_ps(b + panel * panelStride);
    }
    UNROLLED for (size_t row = 0; row < rows; row++) {
      const __m512 value = _mm512_set1_ps(a[row * aStride]);
      UNROLLED for (size_t panel = 0; panel < panels; panel++) {
        const __m512 products = _mm512_mul_ps(value, weights[panel]);
        sums[row][panel] = _mm512_add_ps(sums[row][panel], products);
      }
    }
    a++;
    b += PANEL_CHANNELS;
  }
  UNROLLED for (size_t row = 0; row < rows; row++) {
    UNROLLED for (size_t panel = 0; panel < panels; panel++) {
      _mm512_storeu_ps(c + row * cStride + panel * PANEL_CHANNELS, sums[row][panel]);
    }
  }
}

FLOAT_TILES_OF(ROWS_TO_6, PANELS_TO_4, multiplyFloat32Avx512)
