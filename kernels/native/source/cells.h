/*
 * Sets of cells as bitmaps, compiled once for each width of vectors like lanes.h, which includes this: drawing cells,
 * their kinds, and the order in which a memory's cells hold the bits of its values. core/cells/reference.ts defines the
 * results.
 */
#include <string.h>

#include "instruction-set.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

/* Draws that are made together. */
enum { DRAWN_TOGETHER = 256 };

#if defined(__AVX512F__)
enum { PHILOX_LANES = 16 };
typedef __m512i Words;
#define splatWords(word) _mm512_set1_epi32((int32_t)(word))
#define loadWords(from) _mm512_loadu_si512(from)
#define storeWords(to, words) _mm512_storeu_si512(to, words)
#define addWords _mm512_add_epi32
#define xorWords _mm512_xor_si512
#define evenProducts _mm512_mul_epu32
#define oddProducts(a, b) _mm512_mul_epu32(_mm512_srli_epi64(a, 32), b)
#define highWords(even, odd) _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd)
#define lowWords(even, odd) _mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32))
#elif defined(__AVX2__)
enum { PHILOX_LANES = 8 };
typedef __m256i Words;
#define splatWords(word) _mm256_set1_epi32((int32_t)(word))
#define loadWords(from) _mm256_loadu_si256((const __m256i *)(from))
#define storeWords(to, words) _mm256_storeu_si256((__m256i *)(to), words)
#define addWords _mm256_add_epi32
#define xorWords _mm256_xor_si256
#define evenProducts _mm256_mul_epu32
#define oddProducts(a, b) _mm256_mul_epu32(_mm256_srli_epi64(a, 32), b)
#define highWords(even, odd) _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa)
#define lowWords(even, odd) _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa)
#endif

/* The two leading words of the outputs of Philox4x32-10 for the counters (trial, purpose, index, 0). */
static void philox(const CellStream *stream, const uint32_t *restrict indices, uint32_t *restrict first,
                   uint32_t *restrict second) {
#if defined(__AVX2__)
  for (size_t i = 0; i < DRAWN_TOGETHER; i += PHILOX_LANES) {
    Words c0 = splatWords(stream->trial), c1 = splatWords(stream->purpose);
    Words c2 = loadWords(indices + i), c3 = splatWords(0);
    Words k0 = splatWords(stream->key[0]), k1 = splatWords(stream->key[1]);
    for (int round = 0; round < 10; round++) {
      const Words aEven = evenProducts(c0, splatWords(0xd2511f53)), aOdd = oddProducts(c0, splatWords(0xd2511f53));
      const Words bEven = evenProducts(c2, splatWords(0xcd9e8d57)), bOdd = oddProducts(c2, splatWords(0xcd9e8d57));
      c0 = xorWords(xorWords(highWords(bEven, bOdd), c1), k0);
      c2 = xorWords(xorWords(highWords(aEven, aOdd), c3), k1);
      c1 = lowWords(bEven, bOdd);
      c3 = lowWords(aEven, aOdd);
      k0 = addWords(k0, splatWords(0x9e3779b9));
      k1 = addWords(k1, splatWords(0xbb67ae85));
    }
    storeWords(first + i, c0);
    storeWords(second + i, c1);
  }
#else
  for (size_t i = 0; i < DRAWN_TOGETHER; i++) {
    uint32_t c0 = stream->trial, c1 = stream->purpose, c2 = indices[i], c3 = 0;
    uint32_t k0 = stream->key[0], k1 = stream->key[1];
    for (int round = 0; round < 10; round++) {
      const uint64_t a = (uint64_t)c0 * 0xd2511f53u, b = (uint64_t)c2 * 0xcd9e8d57u;
      c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
      c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
      c1 = (uint32_t)b;
      c3 = (uint32_t)a;
      k0 += 0x9e3779b9u;
      k1 += 0xbb67ae85u;
    }
    first[i] = c0;
    second[i] = c1;
  }
#endif
}

/* Marks cells; those that were not marked are appended to `fresh` unless it is NULL. Returns their new number. */
static size_t markCells(const uint32_t *restrict cells, size_t count, uint64_t *restrict bits,
                        uint32_t *restrict fresh, size_t found) {
  for (size_t i = 0; i < count; i++) {
    const uint32_t cell = cells[i];
    const uint64_t before = bits[cell >> 6];
    bits[cell >> 6] = before | (uint64_t)1 << (cell & 63);
    if (fresh) fresh[found] = cell;
    found += ~(before >> (cell & 63)) & 1;
  }
  return found;
}

enum { LINE_BITS = 512 };

/* Marks a bin of cells, of which there are more than cache lines of the bitmap from `first` to `end` (in words). */
static size_t markBin(const uint32_t *cells, size_t count, uint64_t *bits, size_t first, size_t end,
                      uint32_t *fresh, size_t found) {
  // In order, lines come much faster than in that of the cells.
  for (size_t word = first; word < end; word += LINE_BITS / 64) {
    __builtin_prefetch(bits + word, 1);
  }
  return markCells(cells, count, bits, fresh, found);
}

static size_t markDraws(const CellStream *stream, uint32_t firstIndex, size_t count, uint32_t bound,
                        uint64_t *bits, uint32_t *fresh, uint32_t *bins) {
  uint32_t indices[DRAWN_TOGETHER], cells[DRAWN_TOGETHER], low[DRAWN_TOGETHER];
  uint32_t filled[CELL_BINS] = {0};
  const int isSparse = count < bound / LINE_BITS;
  unsigned shift = 6;
  while ((bound - 1) >> shift >= CELL_BINS) shift++;
  const size_t binWords = (size_t)1 << (shift - 6);
  const size_t words = ((size_t)bound + 63) / 64;
  size_t found = 0;
  for (size_t drawn = 0; drawn < count; drawn += DRAWN_TOGETHER) {
    for (uint32_t i = 0; i < DRAWN_TOGETHER; i++) indices[i] = firstIndex + (uint32_t)drawn + i;
    philox(stream, indices, cells, low);
    // The whole part of (cells · 2^32 + low) · bound / 2^64.
    for (size_t i = 0; i < DRAWN_TOGETHER; i++) {
      const uint64_t carry = (uint64_t)low[i] * bound >> 32;
      cells[i] = (uint32_t)(((uint64_t)cells[i] * bound + carry) >> 32);
    }
    const size_t rest = count - drawn;
    const size_t together = rest < DRAWN_TOGETHER ? rest : DRAWN_TOGETHER;
    if (isSparse) {
      for (size_t i = 0; i < together; i++) __builtin_prefetch(bits + (cells[i] >> 6), 1);
      found = markCells(cells, together, bits, fresh, found);
      continue;
    }
    for (size_t i = 0; i < together; i++) {
      const uint32_t bin = cells[i] >> shift;
      bins[bin * BIN_STRIDE + filled[bin]] = cells[i];
      if (++filled[bin] < BIN_CELLS) continue;
      const size_t first = bin * binWords;
      const size_t end = first + binWords < words ? first + binWords : words;
      found = markBin(bins + bin * BIN_STRIDE, BIN_CELLS, bits, first, end, fresh, found);
      filled[bin] = 0;
    }
  }
  for (size_t bin = 0; bin < CELL_BINS; bin++) {
    if (filled[bin] == 0) continue;
    const size_t first = bin * binWords;
    const size_t end = first + binWords < words ? first + binWords : words;
    found = markBin(bins + bin * BIN_STRIDE, filled[bin], bits, first, end, fresh, found);
  }
  return found;
}

static void markKinds(const CellStream *stream, const uint32_t *cells, size_t count, uint64_t limit,
                      uint64_t *bits) {
  uint32_t indices[DRAWN_TOGETHER] = {0}, high[DRAWN_TOGETHER], low[DRAWN_TOGETHER];
  for (size_t drawn = 0; drawn < count; drawn += DRAWN_TOGETHER) {
    const size_t rest = count - drawn;
    const size_t together = rest < DRAWN_TOGETHER ? rest : DRAWN_TOGETHER;
    memcpy(indices, cells + drawn, together * sizeof *cells);
    philox(stream, indices, high, low);
    for (size_t i = 0; i < together; i++) {
      const uint64_t number = (uint64_t)(high[i] >> 5) << 26 | low[i] >> 6;
      bits[indices[i] >> 6] |= (uint64_t)(number >= limit) << (indices[i] & 63);
    }
  }
}

/* Exchanges the places of two bits of the index i < j of every bit of some words. */
static inline uint64_t exchanged(uint64_t word, unsigned i, unsigned j, uint64_t places) {
  const unsigned shift = (1u << j) - (1u << i);
  const uint64_t different = (word ^ word >> shift) & places;
  return word ^ different ^ different << shift;
}

/* Bits whose index has bit i set and bit j not. */
static const uint64_t WITH_0_WITHOUT_1 = 0x2222222222222222, WITH_0_WITHOUT_2 = 0x0a0a0a0a0a0a0a0a,
                      WITH_0_WITHOUT_3 = 0x00aa00aa00aa00aa, WITH_0_WITHOUT_4 = 0x0000aaaa0000aaaa,
                      WITH_0_WITHOUT_5 = 0x00000000aaaaaaaa, WITH_1_WITHOUT_3 = 0x00cc00cc00cc00cc,
                      WITH_1_WITHOUT_4 = 0x0000cccc0000cccc, WITH_1_WITHOUT_5 = 0x00000000cccccccc,
                      WITH_2_WITHOUT_5 = 0x00000000f0f0f0f0;

/* Of a word of `mux` interleaved words the bits of each side by side. */
static inline uint64_t unmixed(uint64_t word, uint32_t mux) {
  if (mux == 2) {
    word = exchanged(word, 0, 5, WITH_0_WITHOUT_5);
    word = exchanged(word, 0, 4, WITH_0_WITHOUT_4);
    word = exchanged(word, 0, 3, WITH_0_WITHOUT_3);
    word = exchanged(word, 0, 2, WITH_0_WITHOUT_2);
    return exchanged(word, 0, 1, WITH_0_WITHOUT_1);
  }
  if (mux == 4) {
    word = exchanged(word, 1, 5, WITH_1_WITHOUT_5);
    word = exchanged(word, 1, 3, WITH_1_WITHOUT_3);
    word = exchanged(word, 0, 4, WITH_0_WITHOUT_4);
    return exchanged(word, 0, 2, WITH_0_WITHOUT_2);
  }
  word = exchanged(word, 2, 5, WITH_2_WITHOUT_5);
  word = exchanged(word, 1, 4, WITH_1_WITHOUT_4);
  return exchanged(word, 0, 3, WITH_0_WITHOUT_3);
}

/* A row of words, all of whose bits are used, in the order of these words: a matrix of groups of bits, transposed. */
static inline void arrangeRow(const uint64_t *restrict source, uint8_t *restrict target,
                              uint32_t mux, size_t rowWords) {
  const size_t groupBytes = 8 / mux;
  for (size_t at = 0; at < rowWords; at++) {
    const uint64_t groups = unmixed(source[at], mux);
    for (size_t word = 0; word < mux; word++) {
      const uint64_t group = groups >> word * groupBytes * 8;
      memcpy(target + (word * rowWords + at) * groupBytes, &group, groupBytes);
    }
  }
}

/* Four words of 64 bits. */
typedef uint64_t FourWords __attribute__((vector_size(32)));
typedef uint16_t FourGroups __attribute__((vector_size(32)));

#define EXCHANGED(words, i, j, places)                                    \
  do {                                                                    \
    const FourWords different =                                           \
        ((words) ^ (words) >> ((1 << (j)) - (1 << (i)))) & (places);      \
    (words) ^= different ^ different << ((1 << (j)) - (1 << (i)));        \
  } while (0)

static void arrangeRowsOfFour(const uint64_t *restrict source, uint8_t *restrict target,
                              size_t rows) {
  const FourGroups transposed = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
  for (size_t row = 0; row < rows; row++) {
    FourWords words;
    memcpy(&words, source + row * 4, sizeof words);
    EXCHANGED(words, 1, 5, WITH_1_WITHOUT_5);
    EXCHANGED(words, 1, 3, WITH_1_WITHOUT_3);
    EXCHANGED(words, 0, 4, WITH_0_WITHOUT_4);
    EXCHANGED(words, 0, 2, WITH_0_WITHOUT_2);
    const FourGroups groups = __builtin_shuffle((FourGroups)words, transposed);
    memcpy(target + row * sizeof words, &groups, sizeof groups);
  }
}

/* Whole rows in the order of their memory words. */
static void arrangeWholeRows(const uint64_t *source, uint8_t *target, size_t rows, uint32_t mux,
                             size_t rowWords) {
  if (mux == 4 && rowWords == 4) {
    arrangeRowsOfFour(source, target, rows);
    return;
  }
  for (size_t row = 0; row < rows; row++) {
    const uint64_t *from = source + row * rowWords;
    uint8_t *to = target + row * rowWords * 8;
    if (mux == 2) arrangeRow(from, to, 2, rowWords);
    else if (mux == 4) arrangeRow(from, to, 4, rowWords);
    else arrangeRow(from, to, 8, rowWords);
  }
}

static void arrangeBits(const uint64_t *source, uint8_t *target, size_t rows, uint32_t mux,
                        uint32_t wordBits, uint32_t usedBits) {
  const size_t columns = (size_t)mux * wordBits;
  const int isWhole = usedBits == wordBits && columns % 64 == 0;
  if (isWhole && mux == 1) {
    memcpy(target, source, rows * columns / 8);
    return;
  }
  // Groups of bits are whole bytes.
  if (isWhole && mux <= 8 && wordBits % 8 == 0) {
    arrangeWholeRows(source, target, rows, mux, columns / 64);
    return;
  }
  memset(target, 0, (rows * mux * usedBits + 7) / 8);
  unsigned muxShift = 0;
  while (1u << muxShift < mux) muxShift++;
  const size_t cells = rows * columns;
  for (size_t first = 0; first < cells; first += 64) {
    for (uint64_t left = source[first / 64]; left; left &= left - 1) {
      const size_t cell = first + (size_t)__builtin_ctzll(left);
      if (cell >= cells) break;
      const size_t row = cell / columns;
      const size_t column = cell - row * columns;
      const size_t bit = column >> muxShift;
      if (bit >= usedBits) continue;
      const size_t place = (row * mux + (column & (mux - 1))) * usedBits + bit;
      target[place / 8] |= (uint8_t)(1 << place % 8);
    }
  }
}

static size_t countBits(const uint64_t *words, size_t count) {
  size_t bits = 0;
  for (size_t i = 0; i < count; i++) {
    uint64_t word = words[i];
    word -= word >> 1 & 0x5555555555555555;
    word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
    word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
    bits += word * 0x0101010101010101 >> 56;
  }
  return bits;
}
