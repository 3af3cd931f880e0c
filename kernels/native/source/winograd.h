/*
 * One tile of Winograd's transforms for neighbouring channels, as many as a vector of VECTOR_BYTES has. Included by lanes.h,
 * once for each width. kernels/float32/winograd.ts states the order of every rounding.
 */
typedef float OF_VECTOR(Vector) __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t OF_VECTOR(Mask) __attribute__((vector_size(VECTOR_BYTES)));

static inline OF_VECTOR(Vector) OF_VECTOR(load)(const void *from) {
  OF_VECTOR(Vector) value;
  memcpy(&value, from, sizeof value);
  return value;
}

static inline void OF_VECTOR(store)(void *to, OF_VECTOR(Vector) value) {
  memcpy(to, &value, sizeof value);
}

/* Transposed B times d along one axis, of values `stride` apart, in place. */
static inline __attribute__((always_inline)) void OF_VECTOR(inputAxis)(OF_VECTOR(Vector) *values,
                                                                      const size_t size,
                                                                      const size_t stride) {
  const OF_VECTOR(Vector) d0 = values[0], d1 = values[stride];
  const OF_VECTOR(Vector) d2 = values[2 * stride], d3 = values[3 * stride];
  if (size == 4) {
    values[0] = d0 - d2;
    values[stride] = d1 + d2;
    values[2 * stride] = d2 - d1;
    values[3 * stride] = d1 - d3;
    return;
  }
  const OF_VECTOR(Vector) d4 = values[4 * stride], d5 = values[5 * stride];
  const OF_VECTOR(Vector) even = d4 - 4.0f * d2;
  const OF_VECTOR(Vector) odd = d3 - 4.0f * d1;
  const OF_VECTOR(Vector) evenHalf = d4 - d2;
  const OF_VECTOR(Vector) oddHalf = d3 - d1;
  const OF_VECTOR(Vector) oddTwice = 2.0f * oddHalf;
  values[0] = 4.0f * (d0 - d2) + evenHalf;
  values[stride] = even + odd;
  values[2 * stride] = even - odd;
  values[3 * stride] = evenHalf + oddTwice;
  values[4 * stride] = evenHalf - oddTwice;
  values[5 * stride] = (d5 - d3) - 4.0f * oddHalf;
}

/* Transposed A times m along one axis, to the first places. */
static inline __attribute__((always_inline)) void OF_VECTOR(outputAxis)(OF_VECTOR(Vector) *values,
                                                                       const size_t size,
                                                                       const size_t stride) {
  const OF_VECTOR(Vector) m0 = values[0], m1 = values[stride];
  const OF_VECTOR(Vector) m2 = values[2 * stride], m3 = values[3 * stride];
  if (size == 4) {
    values[0] = (m0 + m1) + m2;
    values[stride] = (m1 - m2) - m3;
    return;
  }
  const OF_VECTOR(Vector) m4 = values[4 * stride], m5 = values[5 * stride];
  const OF_VECTOR(Vector) sum1 = m1 + m2;
  const OF_VECTOR(Vector) difference1 = m1 - m2;
  const OF_VECTOR(Vector) sum2 = m3 + m4;
  const OF_VECTOR(Vector) difference2 = m3 - m4;
  values[0] = (m0 + sum1) + sum2;
  values[stride] = difference1 + 2.0f * difference2;
  values[2 * stride] = sum1 + 4.0f * sum2;
  values[3 * stride] = (difference1 + 8.0f * difference2) + m5;
}

static inline __attribute__((always_inline)) void OF_VECTOR(inputTile)(
    const float *const lines[], const float *zeros, int64_t x, const int inside[],
    const size_t size, size_t channels, size_t channel, uint8_t *to, size_t plane) {
  OF_VECTOR(Vector) tile[LARGEST_TILE * LARGEST_TILE];
  UNROLLED for (size_t j = 0; j < size; j++) {
    UNROLLED for (size_t i = 0; i < size; i++) {
      // Zeros have one pixel, which serves every column.
      const float *pixel = lines[i] == zeros || !inside[j]
                               ? zeros
                               : lines[i] + (size_t)(x + (int64_t)j) * channels;
      tile[i * size + j] = OF_VECTOR(load)(pixel + channel);
    }
    OF_VECTOR(inputAxis)(tile + j, size, size);
  }
  UNROLLED for (size_t i = 0; i < size; i++) {
    OF_VECTOR(inputAxis)(tile + i * size, size, 1);
    UNROLLED for (size_t j = 0; j < size; j++) {
      OF_VECTOR(store)(to + (i * size + j) * plane, tile[i * size + j]);
    }
  }
}

static void OF_VECTOR(transformInputTile)(const float *const lines[], const float *zeros,
                                          int64_t x, const int inside[], size_t size,
                                          size_t channels, size_t channel, uint8_t *to,
                                          size_t plane) {
  if (size == 6) {
    OF_VECTOR(inputTile)(lines, zeros, x, inside, 6, channels, channel, to, plane);
  } else {
    OF_VECTOR(inputTile)(lines, zeros, x, inside, 4, channels, channel, to, plane);
  }
}

static inline OF_VECTOR(Vector) OF_VECTOR(keep)(OF_VECTOR(Vector) value, OF_VECTOR(Mask) mask) {
  return (OF_VECTOR(Vector))((OF_VECTOR(Mask))value & mask);
}

/* Sums after clip and ReLU; as `finished`. */
static inline OF_VECTOR(Vector) OF_VECTOR(finishedVector)(OF_VECTOR(Vector) sum,
                                                         OF_VECTOR(Vector) threshold, int clip,
                                                         int relu) {
  if (clip == 1) sum = OF_VECTOR(keep)(sum, sum <= threshold);
  if (clip == 2) {
    const OF_VECTOR(Mask) above = sum > threshold;
    const OF_VECTOR(Mask) kept = (OF_VECTOR(Mask))OF_VECTOR(keep)(sum, ~above);
    const OF_VECTOR(Mask) cut = (OF_VECTOR(Mask))OF_VECTOR(keep)(threshold, above);
    sum = (OF_VECTOR(Vector))(kept | cut);
  }
  return relu ? OF_VECTOR(keep)(sum, ~(sum <= 0.0f)) : sum;
}

static inline __attribute__((always_inline)) void OF_VECTOR(outputTile)(
    const uint8_t *from, size_t plane, const size_t outputs, size_t channel,
    const OutputTile *to) {
  const size_t size = outputs + 2;
  OF_VECTOR(Vector) tile[LARGEST_TILE * LARGEST_TILE];
  UNROLLED for (size_t j = 0; j < size; j++) {
    UNROLLED for (size_t i = 0; i < size; i++) {
      tile[i * size + j] = OF_VECTOR(load)(from + (i * size + j) * plane);
    }
    OF_VECTOR(outputAxis)(tile + j, size, size);
  }
  const OF_VECTOR(Vector) bias = OF_VECTOR(load)(to->bias + channel);
  UNROLLED for (size_t i = 0; i < outputs; i++) {
    if (i == to->rows) return;
    OF_VECTOR(outputAxis)(tile + i * size, size, 1);
    UNROLLED for (size_t j = 0; j < outputs; j++) {
      if (j == to->columns) break;
      OF_VECTOR(Vector) sum = tile[i * size + j] + bias;
      if (to->clip) {
        const size_t position = i * to->linePositions + j;
        const float *thresholds = to->thresholds + position * to->thresholdStride;
        sum = OF_VECTOR(finishedVector)(sum, OF_VECTOR(load)(thresholds + channel), to->clip,
                                        to->relu);
      } else {
        sum = OF_VECTOR(finishedVector)(sum, sum, 0, to->relu);
      }
      OF_VECTOR(store)(to->corner + i * to->lineValues + j * to->channels + channel, sum);
    }
  }
}

static void OF_VECTOR(transformOutputTile)(const uint8_t *from, size_t plane, size_t outputs,
                                           size_t channel, const OutputTile *to) {
  if (outputs == 4) {
    OF_VECTOR(outputTile)(from, plane, 4, channel, to);
  } else {
    OF_VECTOR(outputTile)(from, plane, 2, channel, to);
  }
}
