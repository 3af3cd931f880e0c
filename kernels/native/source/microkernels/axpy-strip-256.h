/*
 * Rows of weights, two by two, times their differences, by an instruction DOT (or two) that adds pairs of products to 8
 * sums. Included by the files of that instruction, with DOT.
 */
#include <immintrin.h>

#include "../microkernels.h"

/* 8 sums, two rows of weights, their pairs and their differences: 13 of 16 registers. */
enum { VECTORS = 4, CHANNELS = 16 };

static inline __attribute__((always_inline)) void addToStrip(const size_t vectors,
                                                             const uint8_t *memory,
                                                             const Product *products, size_t count,
                                                             size_t offset, int32_t *sums) {
  __m256i low[VECTORS];
  __m256i high[VECTORS];
  UNROLLED for (size_t v = 0; v < vectors; v++) low[v] = high[v] = _mm256_setzero_si256();
  for (size_t i = 0; i < count; i += 2) {
    // An odd number of products ends with one that counts for nothing.
    const Product *one = products + i;
    const Product *other = i + 1 < count ? one + 1 : one;
    const __m256i differences =
        _mm256_set1_epi32(pairOf(one->difference, other == one ? 0 : other->difference));
    const uint8_t *a = memory + one->weights + offset;
    const uint8_t *b = memory + other->weights + offset;
    UNROLLED for (size_t v = 0; v < vectors; v++) {
      const __m256i x = _mm256_loadu_si256((const __m256i *)a + v);
      const __m256i y = _mm256_loadu_si256((const __m256i *)b + v);
      low[v] = DOT(low[v], _mm256_unpacklo_epi16(x, y), differences);
      high[v] = DOT(high[v], _mm256_unpackhi_epi16(x, y), differences);
    }
  }
  // `low` has channels 0 to 3 of each eight, `high` the others.
  UNROLLED for (size_t v = 0; v < vectors; v++) {
    __m256i *to = (__m256i *)(sums + CHANNELS * v);
    const __m256i first = _mm256_permute2x128_si256(low[v], high[v], 0x20);
    const __m256i second = _mm256_permute2x128_si256(low[v], high[v], 0x31);
    _mm256_storeu_si256(to, _mm256_add_epi32(_mm256_loadu_si256(to), first));
    _mm256_storeu_si256(to + 1, _mm256_add_epi32(_mm256_loadu_si256(to + 1), second));
  }
}

/* Channels are whole vectors. */
static void addToRest(const uint8_t *memory, const Product *products, size_t count, size_t offset,
                      int32_t *sums) {
  addToStrip(1, memory, products, count, offset, sums);
}

#define CASES STRIP_CASE(1) STRIP_CASE(2) STRIP_CASE(3) STRIP_CASE(4)
