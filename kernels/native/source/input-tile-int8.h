/*
 * One tile of inputs of F(4×4, 3×3) in int16, for as many neighbouring channels as VECTOR_BYTES. Included by
 * transforms-int8.h, once for each width. kernels/reference/winograd.ts defines the matrices.
 */
typedef uint16_t OF_VECTOR(Bits) __attribute__((vector_size(VECTOR_BYTES)));
typedef int16_t OF_VECTOR(Words) __attribute__((vector_size(VECTOR_BYTES)));

/* Transposed B times d along one axis, of values `stride` apart, in place. */
static inline __attribute__((always_inline)) void OF_VECTOR(inputWords)(OF_VECTOR(Words) *values,
                                                                       const size_t stride) {
  const OF_VECTOR(Words) d1 = values[stride], d2 = values[2 * stride];
  const OF_VECTOR(Words) d3 = values[3 * stride], d4 = values[4 * stride];
  const OF_VECTOR(Words) even = d4 - d2;
  const OF_VECTOR(Words) odd = d3 - d1;
  const OF_VECTOR(Words) oddTwice = odd + odd;
  const OF_VECTOR(Words) sum = d4 - 4 * d2;
  const OF_VECTOR(Words) difference = d3 - 4 * d1;
  values[0] = 4 * (values[0] - d2) + even;
  values[stride] = sum + difference;
  values[2 * stride] = sum - difference;
  values[3 * stride] = even + oddTwice;
  values[4 * stride] = even - oddTwice;
  values[5 * stride] = (values[5 * stride] - d3) - 4 * odd;
}

/* Even bytes of a vector, then odd ones: words of channels 0 2 4 …, and of 1 3 5 … */
static inline __attribute__((always_inline)) void OF_VECTOR(inputTileInt8)(
    const uint8_t *const pixels[TILE_INPUTS * TILE_INPUTS], size_t channel, uint8_t *to,
    size_t element) {
  // The lines of a block that no cache holds take longer to come than a tile takes.
  for (size_t e = 0; e < TILE_INPUTS * TILE_INPUTS; e++) {
    __builtin_prefetch(to + e * element, 1);
    __builtin_prefetch(to + e * element + VECTOR_BYTES, 1);
  }
  UNROLLED for (size_t odd = 0; odd < 2; odd++) {
    OF_VECTOR(Words) tile[TILE_INPUTS * TILE_INPUTS];
    UNROLLED for (size_t j = 0; j < TILE_INPUTS; j++) {
      UNROLLED for (size_t i = 0; i < TILE_INPUTS; i++) {
        OF_VECTOR(Bits) bytes;
        memcpy(&bytes, pixels[i * TILE_INPUTS + j] + channel, sizeof bytes);
        tile[i * TILE_INPUTS + j] = (OF_VECTOR(Words))(odd ? bytes >> 8 : bytes & 255);
      }
      OF_VECTOR(inputWords)(tile + j, TILE_INPUTS);
    }
    UNROLLED for (size_t i = 0; i < TILE_INPUTS; i++) {
      OF_VECTOR(inputWords)(tile + i * TILE_INPUTS, 1);
      UNROLLED for (size_t j = 0; j < TILE_INPUTS; j++) {
        memcpy(to + (i * TILE_INPUTS + j) * element + odd * VECTOR_BYTES,
               tile + i * TILE_INPUTS + j, VECTOR_BYTES);
      }
    }
  }
}
