#include <immintrin.h>

#include "../microkernels.h"

/* 16 sums, two rows of weights and their differences: 19 of 32 registers. */
enum { VECTORS = 8, CHANNELS = 32 };

/* Products two by two; `valid` says which channels the last vector has. */
static inline __attribute__((always_inline)) void addPairs(const size_t vectors,
                                                           const __mmask32 valid,
                                                           const uint8_t *memory,
                                                           const Product *products, size_t count,
                                                           size_t offset, int32_t *sums) {
  __m512i low[VECTORS];
  __m512i high[VECTORS];
  UNROLLED for (size_t v = 0; v < vectors; v++) low[v] = high[v] = _mm512_setzero_si512();
  for (size_t i = 0; i < count; i += 2) {
    // An odd number of products ends with one that counts for nothing.
    const Product *one = products + i;
    const Product *other = i + 1 < count ? one + 1 : one;
    const __m512i differences =
        _mm512_set1_epi32(pairOf(one->difference, other == one ? 0 : other->difference));
    const uint8_t *a = memory + one->weights + offset;
    const uint8_t *b = memory + other->weights + offset;
    UNROLLED for (size_t v = 0; v < vectors; v++) {
      const __m512i x = _mm512_maskz_loadu_epi16(valid, a + 64 * v);
      const __m512i y = _mm512_maskz_loadu_epi16(valid, b + 64 * v);
      low[v] = _mm512_dpwssd_epi32(low[v], _mm512_unpacklo_epi16(x, y), differences);
      high[v] = _mm512_dpwssd_epi32(high[v], _mm512_unpackhi_epi16(x, y), differences);
    }
  }
  // `low` has channels 0 to 3 of each eight, `high` the others.
  const __m512i first = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
  const __m512i second =
      _mm512_setr_epi32(8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
  UNROLLED for (size_t v = 0; v < vectors; v++) {
    int32_t *to = sums + CHANNELS * v;
    const __m512i of = _mm512_permutex2var_epi32(low[v], first, high[v]);
    _mm512_storeu_si512(to, _mm512_add_epi32(_mm512_loadu_si512(to), of));
    if (valid >> 16 == 0) continue;
    const __m512i more = _mm512_permutex2var_epi32(low[v], second, high[v]);
    _mm512_storeu_si512(to + 16, _mm512_add_epi32(_mm512_loadu_si512(to + 16), more));
  }
}

static inline __attribute__((always_inline)) void addToStrip(const size_t vectors,
                                                             const uint8_t *memory,
                                                             const Product *products, size_t count,
                                                             size_t offset, int32_t *sums) {
  addPairs(vectors, UINT32_MAX, memory, products, count, offset, sums);
}

static void addToRest(const uint8_t *memory, const Product *products, size_t count, size_t offset,
                      int32_t *sums) {
  addPairs(1, UINT16_MAX, memory, products, count, offset, sums);
}

#define CASES STRIP_CASE(1) STRIP_CASE(2) STRIP_CASE(3) STRIP_CASE(4) STRIP_CASE(5) STRIP_CASE(6) STRIP_CASE(7) STRIP_CASE(8)

STRIPS_OF(CASES, VECTORS, CHANNELS, addProductsAvx512Vnni)
