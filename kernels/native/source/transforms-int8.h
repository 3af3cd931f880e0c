/*
 * Winograd's F(4×4, 3×3) in integers modulo 2^32, as kernels/reference/winograd.ts has it. Included by lanes.h.
 *
 * Stored inputs and weights are transformed as they are: padding holds the input zero point, and the bias of a channel
 * has what zero points make of a sum. Sums over channels take pairs of them. The channels of a block, of LANE_BYTES and
 * at the end of TAIL_CHANNELS, lie in the order 0 2 4 …, 1 3 5 …, so that no word changes its lane on its way from bytes.
 */
#ifdef __AVX512F__
#include <immintrin.h>
#endif

enum { TILE_INPUTS = 6, TILE_OUTPUTS = 4, TILE_ELEMENTS = 36, TAIL_CHANNELS = 16 };

#define VECTOR_BYTES LANE_BYTES
#define OF_VECTOR(name) name##OfLane
#include "input-tile-int8.h"
#undef VECTOR_BYTES
#undef OF_VECTOR

#define VECTOR_BYTES TAIL_CHANNELS
#define OF_VECTOR(name) name##OfTail
#include "input-tile-int8.h"
#undef VECTOR_BYTES
#undef OF_VECTOR

static void transformInputsInt8(const Int8Descriptor *descriptor, const uint8_t *memory,
                                const uint8_t *input, size_t firstTile, size_t tiles,
                                uint8_t *transformed, size_t element) {
  const WindowDescriptor *window = &descriptor->window;
  const size_t channels = (size_t)window->inputChannels;
  const int64_t height = window->inputHeight;
  const int64_t width = window->inputWidth;
  const size_t imageBytes = (size_t)height * (size_t)width * channels;
  const size_t columns = ((size_t)window->outputWidth + TILE_OUTPUTS - 1) / TILE_OUTPUTS;
  const size_t lines = ((size_t)window->outputHeight + TILE_OUTPUTS - 1) / TILE_OUTPUTS;
  const uint8_t *padding = memory + descriptor->padding;
  const size_t block = (size_t)descriptor->blockChannels;
  for (size_t tile = firstTile; tile < firstTile + tiles; tile++) {
    const size_t place = tile % (lines * columns);
    const uint8_t *image = input + tile / (lines * columns) * imageBytes;
    const int64_t top = (int64_t)(place / columns * TILE_OUTPUTS) - window->padTop;
    const int64_t left = (int64_t)(place % columns * TILE_OUTPUTS) - window->padLeft;
    const uint8_t *pixels[TILE_ELEMENTS];
    for (size_t i = 0; i < TILE_INPUTS; i++) {
      for (size_t j = 0; j < TILE_INPUTS; j++) {
        const int64_t y = top + (int64_t)i;
        const int64_t x = left + (int64_t)j;
        const int inside = y >= 0 && y < height && x >= 0 && x < width;
        pixels[i * TILE_INPUTS + j] =
            inside ? image + (size_t)(y * width + x) * channels : padding;
      }
    }
    for (size_t first = 0; first < channels; first += block) {
      const size_t count = channels - first < block ? channels - first : block;
      uint8_t *to = transformed + first / block * TILE_ELEMENTS * element +
                    (tile - firstTile) * count * sizeof(int16_t);
      size_t channel = 0;
      for (; channel + LANE_BYTES <= count; channel += LANE_BYTES) {
        inputTileInt8OfLane(pixels, first + channel, to + 2 * channel, element);
      }
      for (; channel < count; channel += TAIL_CHANNELS) {
        inputTileInt8OfTail(pixels, first + channel, to + 2 * channel, element);
      }
    }
  }
}

/* The scaled G times three weights; the six results are `stride` apart. */
static inline __attribute__((always_inline)) void weightWords(WordsOfLane w0, WordsOfLane w1,
                                                              WordsOfLane w2, WordsOfLane *to,
                                                              const size_t stride) {
  const WordsOfLane outer = w0 + w2;
  const WordsOfLane far = w0 + 4 * w2;
  const WordsOfLane twice = w1 + w1;
  to[0] = 6 * w0;
  to[stride] = -outer - w1;
  to[2 * stride] = w1 - outer;
  to[3 * stride] = far + twice;
  to[4 * stride] = far - twice;
  to[5 * stride] = 6 * w2;
}

/* Positive weights, and all weights, of channels whose two words hold one tap of two input channels each. */
typedef struct {
  WordsOfLane positive;
  WordsOfLane all;
} WeightSums;

static inline __attribute__((always_inline)) void transformQuad(const int8_t *packed,
                                                                size_t tapBytes, const size_t odd,
                                                                uint8_t *to, size_t element,
                                                                WeightSums *sums) {
  WordsOfLane taps[9];
  UNROLLED for (size_t tap = 0; tap < 3; tap++) {
    UNROLLED for (size_t kx = 0; kx < 3; kx++) {
      BitsOfLane bytes;
      memcpy(&bytes, packed + (3 * tap + kx) * tapBytes, sizeof bytes);
      const WordsOfLane words = (WordsOfLane)(odd ? bytes : bytes << 8) >> 8;
      sums->positive += words & (words > 0);
      sums->all += words;
      taps[3 * tap + kx] = words;
    }
  }
  WordsOfLane lines[3 * TILE_INPUTS];
  UNROLLED for (size_t kx = 0; kx < 3; kx++) {
    weightWords(taps[kx], taps[3 + kx], taps[6 + kx], lines + kx, 3);
  }
  UNROLLED for (size_t i = 0; i < TILE_INPUTS; i++) {
    WordsOfLane elements[TILE_INPUTS];
    weightWords(lines[3 * i], lines[3 * i + 1], lines[3 * i + 2], elements, 1);
    UNROLLED for (size_t j = 0; j < TILE_INPUTS; j++) {
      memcpy(to + (TILE_INPUTS * i + j) * element, elements + j, sizeof elements[j]);
    }
  }
}

enum {
  QUAD_BYTES = PANEL_CHANNELS * STEP_TAPS,
  /* Sums of so many quads of nine taps of two words fit int16. */
  SUMMED_QUADS = 8,
};

static void transformWeightsInt8(const int8_t *panel, size_t channels, size_t first, size_t count,
                                 uint8_t *transformed, size_t elementBytes, int32_t *positive,
                                 int32_t *negative) {
  const size_t tapBytes = channels * PANEL_CHANNELS;
  const size_t wide = channels / LANE_BYTES * LANE_BYTES;
  for (size_t slice = 0; slice < QUAD_BYTES; slice += LANE_BYTES) {
    for (size_t from = first; from < first + count; from += SUMMED_QUADS * STEP_TAPS) {
      WeightSums sums = {.positive = (WordsOfLane){0}, .all = (WordsOfLane){0}};
      for (size_t channel = from;
           channel < first + count && channel < from + SUMMED_QUADS * STEP_TAPS;
           channel += STEP_TAPS) {
        const size_t block = channel < wide ? LANE_BYTES : TAIL_CHANNELS;
        const size_t start = channel / block * block;
        const int8_t *packed = panel + channel * PANEL_CHANNELS + slice;
        const size_t step = (start - first) / 2 + (channel - start) / 4;
        uint8_t *to = transformed + step * QUAD_BYTES + slice;
        transformQuad(packed, tapBytes, 0, to, elementBytes, &sums);
        transformQuad(packed, tapBytes, 1, to + block / 4 * QUAD_BYTES, elementBytes, &sums);
      }
      int16_t positives[LANE_BYTES / 2];
      int16_t all[LANE_BYTES / 2];
      memcpy(positives, &sums.positive, sizeof positives);
      memcpy(all, &sums.all, sizeof all);
      for (size_t c = 0; c < LANE_BYTES / STEP_TAPS; c++) {
        const int32_t above = positives[2 * c] + positives[2 * c + 1];
        positive[slice / STEP_TAPS + c] += above;
        negative[slice / STEP_TAPS + c] += above - all[2 * c] - all[2 * c + 1];
      }
    }
  }
}

enum { SUMS_OF_LANE = LANE_BYTES / 4 };

typedef uint32_t SumsOfLane __attribute__((vector_size(LANE_BYTES)));
typedef int32_t SignedOfLane __attribute__((vector_size(LANE_BYTES)));

/* The scaled and reduced transposed A times m along one axis, to the first places. */
static inline __attribute__((always_inline)) void outputSums(SumsOfLane *values,
                                                             const size_t stride) {
  const SumsOfLane m0 = values[0], m1 = values[stride], m2 = values[2 * stride];
  const SumsOfLane m3 = values[3 * stride], m4 = values[4 * stride], m5 = values[5 * stride];
  const SumsOfLane sum1 = m1 + m2;
  const SumsOfLane difference1 = m1 - m2;
  const SumsOfLane sum2 = m3 + m4;
  const SumsOfLane difference2 = m3 - m4;
  values[0] = m0 + sum2 + 4 * sum1;
  values[stride] = 2 * difference1 + difference2;
  values[2 * stride] = sum1 + sum2;
  values[3 * stride] = difference1 + m5 + 2 * difference2;
}

/* 9⁻¹ modulo 2^32. */
static const uint32_t INVERSE_OF_9 = 0x38e38e39;

/* Sums of a tile, bias included, for the channels of one vector. */
static inline __attribute__((always_inline)) void outputTileInt8(
    const uint8_t *products, size_t element, const int32_t *bias,
    SumsOfLane to[TILE_OUTPUTS * TILE_OUTPUTS]) {
  SumsOfLane tile[TILE_ELEMENTS];
  UNROLLED for (size_t j = 0; j < TILE_INPUTS; j++) {
    UNROLLED for (size_t i = 0; i < TILE_INPUTS; i++) {
      memcpy(tile + i * TILE_INPUTS + j, products + (i * TILE_INPUTS + j) * element,
             sizeof *tile);
    }
    outputSums(tile + j, TILE_INPUTS);
  }
  SumsOfLane start;
  memcpy(&start, bias, sizeof start);
  UNROLLED for (size_t i = 0; i < TILE_OUTPUTS; i++) {
    outputSums(tile + i * TILE_INPUTS, 1);
    UNROLLED for (size_t j = 0; j < TILE_OUTPUTS; j++) {
      // 64 over the factors 1 2 4 4 that the two rows of A hold.
      const int shift = 6 - (i < 2 ? (int)i : 2) - (j < 2 ? (int)j : 2);
      const SignedOfLane scaled = (SignedOfLane)(tile[i * TILE_INPUTS + j] * INVERSE_OF_9);
      to[i * TILE_OUTPUTS + j] = (SumsOfLane)(scaled >> shift) + start;
    }
  }
}

typedef float FloatsOfLane __attribute__((vector_size(LANE_BYTES)));
typedef uint8_t BytesOfLane __attribute__((vector_size(LANE_BYTES)));
typedef uint8_t StoredOfLane __attribute__((vector_size(SUMS_OF_LANE)));

/* The least significant byte of each lane. */
static inline StoredOfLane lowBytes(SignedOfLane sums) {
  // GCC 12 converts vectors lane by lane in loops.
#ifdef __AVX512F__
  return (StoredOfLane)_mm512_cvtepi32_epi8((__m512i)sums);
#else
  const BytesOfLane first = {0, 4, 8, 12, 16 % LANE_BYTES, 20 % LANE_BYTES, 24 % LANE_BYTES,
                             28 % LANE_BYTES};
  const BytesOfLane shuffled = __builtin_shuffle((BytesOfLane)sums, first);
  StoredOfLane bytes;
  memcpy(&bytes, &shuffled, sizeof bytes);
  return bytes;
#endif
}

static inline SignedOfLane chosen(SignedOfLane mask, SignedOfLane a, SignedOfLane b) {
  return (mask & a) | (~mask & b);
}

/* As `finishChannels`, for the channels of one vector. */
static inline __attribute__((always_inline)) void finishLane(const Requantization *how,
                                                             SignedOfLane sums, size_t position,
                                                             size_t channel, uint8_t *output) {
  if (how->clip) {
    SignedOfLane limits;
    memcpy(&limits, how->thresholds + position * how->thresholdStride + channel, sizeof limits);
    const SignedOfLane clipped = how->clip == 1 ? (SignedOfLane){0} : limits;
    sums = chosen(sums > limits, clipped, sums);
  }
  FloatsOfLane multipliers;
  memcpy(&multipliers, how->multipliers + channel, sizeof multipliers);
  const FloatsOfLane low = how->low - (FloatsOfLane){0};
  const FloatsOfLane high = how->high - (FloatsOfLane){0};
  SignedOfLane scaled = (SignedOfLane)(__builtin_convertvector(sums, FloatsOfLane) * multipliers);
  scaled = chosen((FloatsOfLane)scaled < low, (SignedOfLane)low, scaled);
  scaled = chosen((FloatsOfLane)scaled > high, (SignedOfLane)high, scaled);
  const SumsOfLane rounded = (SumsOfLane)((FloatsOfLane)scaled + ROUNDING) + how->offset;
  const StoredOfLane stored = lowBytes((SignedOfLane)rounded);
  memcpy(output + channel, &stored, sizeof stored);
}

static void transformOutputsInt8(const Int8Descriptor *descriptor, const uint8_t *memory,
                                 const uint8_t *products, size_t rowBytes, size_t elementBytes,
                                 uint8_t *output, size_t firstTile, size_t tiles,
                                 size_t firstChannel, size_t count) {
  const WindowDescriptor *window = &descriptor->window;
  const size_t channels = (size_t)window->outputChannels;
  const size_t height = (size_t)window->outputHeight;
  const size_t width = (size_t)window->outputWidth;
  const size_t columns = (width + TILE_OUTPUTS - 1) / TILE_OUTPUTS;
  const size_t lines = (height + TILE_OUTPUTS - 1) / TILE_OUTPUTS;
  const int32_t *bias = (const int32_t *)(memory + descriptor->bias);
  const Requantization how = requantizationOf(descriptor, memory);
  for (size_t tile = firstTile; tile < firstTile + tiles; tile++) {
    const size_t place = tile % (lines * columns);
    const size_t top = place / columns * TILE_OUTPUTS;
    const size_t left = place % columns * TILE_OUTPUTS;
    const size_t rows = height - top < TILE_OUTPUTS ? height - top : TILE_OUTPUTS;
    const size_t across = width - left < TILE_OUTPUTS ? width - left : TILE_OUTPUTS;
    uint8_t *image = output + tile / (lines * columns) * height * width * channels;
    for (size_t channel = 0; channel < count; channel += SUMS_OF_LANE) {
      SumsOfLane sums[TILE_OUTPUTS * TILE_OUTPUTS];
      const size_t at = firstChannel + channel;
      outputTileInt8(products + channel * sizeof(int32_t), elementBytes, bias + at, sums);
      for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < across; j++) {
          const size_t position = (top + i) * width + left + j;
          finishLane(&how, (SignedOfLane)sums[i * TILE_OUTPUTS + j], position, at,
                     image + position * channels);
        }
      }
    }
    products += rowBytes;
  }
}
