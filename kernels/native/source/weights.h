/*
 * Changes of the packed weights of int8 convolutions, compiled once for each width of vectors like lanes.h, which includes
 * this. Weights are numbered in network order.
 */
#include <stdlib.h>
#include <string.h>

#include "instruction-set.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

/* Where the packed weights have those of each channel (kernels/native/plan.ts). */
typedef struct {
  size_t window;
  /* What the places of a window add to that of the channel; of the network's order. */
  uint32_t *offsets;
} Packing;

static Packing packingOf(const Int8Descriptor *descriptor) {
  const WindowDescriptor *shape = &descriptor->window;
  const size_t taps = (size_t)shape->kernelHeight * (size_t)shape->kernelWidth;
  const size_t inputs = (size_t)(shape->inputChannels / shape->groups);
  const Packing packing = {
      .window = inputs * taps,
      .offsets = malloc(inputs * taps * sizeof(uint32_t)),
  };
  if (!packing.offsets) return packing;
  uint32_t *to = packing.offsets;
  for (size_t input = 0; input < inputs; input++) {
    for (size_t tap = 0; tap < taps; tap++) {
      const size_t k = tap * inputs + input;
      *to++ = (uint32_t)(descriptor->depthwise
                             ? tap * (size_t)shape->outputChannels
                             : k / STEP_TAPS * (PANEL_CHANNELS * STEP_TAPS) + k % STEP_TAPS);
    }
  }
  return packing;
}

/* Place of a channel's first weight. */
static size_t firstPlace(const Int8Descriptor *descriptor, size_t channel) {
  if (descriptor->depthwise) return channel;
  const WindowDescriptor *shape = &descriptor->window;
  const size_t groupOutputs = (size_t)(shape->outputChannels / shape->groups);
  const size_t column = channel % groupOutputs;
  const size_t panel = channel / groupOutputs * (size_t)descriptor->panelsPerGroup +
                       column / PANEL_CHANNELS;
  return (panel * (size_t)descriptor->steps * PANEL_CHANNELS + column % PANEL_CHANNELS) * STEP_TAPS;
}

/* A weight that grows by `growth` changes the bias of its channel: kernels sum over stored inputs. */
static void correctBias(const Int8Descriptor *descriptor, uint8_t *memory, size_t channel,
                        uint32_t growth) {
  // A filter for each channel skips padding, so its kernel subtracts the zero points.
  if (descriptor->depthwise) return;
  uint32_t *bias = (uint32_t *)(memory + descriptor->bias);
  bias[channel] -= (uint32_t)descriptor->inputZeroPoint * growth;
}

enum { TOGETHER = 64 };

/* Of 64 bytes a bit each, set where the byte is not zero. */
static inline uint64_t nonZeroBytes(const uint8_t *bytes) {
#if defined(__AVX512BW__)
  const __m512i all = _mm512_loadu_si512(bytes);
  return _mm512_test_epi8_mask(all, all);
#elif defined(__AVX2__)
  const __m256i low = _mm256_loadu_si256((const __m256i *)bytes);
  const __m256i high = _mm256_loadu_si256((const __m256i *)(bytes + 32));
  const __m256i zero = _mm256_setzero_si256();
  const uint64_t lowZeros = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, zero));
  const uint64_t highZeros = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, zero));
  return ~(lowZeros | highZeros << 32);
#else
  const uint64_t most = 0x7f7f7f7f7f7f7f7f;
  uint64_t places = 0;
  for (unsigned i = 0; i < TOGETHER / 8; i++) {
    uint64_t word;
    memcpy(&word, bytes + 8 * i, sizeof word);
    const uint64_t highest = (((word & most) + most) | word) & ~most;
    places |= ((highest >> 7) * 0x0102040810204080 >> 56) << 8 * i;
  }
  return places;
#endif
}

/* The same of fewer bytes. */
static inline uint64_t nonZeroBytesOf(const uint8_t *bytes, size_t count) {
  uint8_t padded[TOGETHER] = {0};
  memcpy(padded, bytes, count);
  return nonZeroBytes(padded);
}

static int invertInt8Weights(const Int8Descriptor *descriptor, uint8_t *memory, const uint8_t *bits) {
  const Packing packing = packingOf(descriptor);
  if (!packing.offsets) return 0;
  const size_t channels = (size_t)descriptor->window.outputChannels;
  for (size_t channel = 0; channel < channels; channel++, bits += packing.window) {
    int8_t *packed = (int8_t *)(memory + descriptor->weights) + firstPlace(descriptor, channel);
    uint32_t growth = 0;
    for (size_t first = 0; first < packing.window; first += TOGETHER) {
      const size_t rest = packing.window - first;
      uint64_t places = rest < TOGETHER ? nonZeroBytesOf(bits + first, rest)
                                        : nonZeroBytes(bits + first);
      for (; places; places &= places - 1) {
        const size_t at = first + (size_t)__builtin_ctzll(places);
        int8_t *weight = packed + packing.offsets[at];
        const int8_t now = (int8_t)(*weight ^ bits[at]);
        growth += (uint32_t)(now - *weight);
        *weight = now;
      }
    }
    if (growth) correctBias(descriptor, memory, channel, growth);
  }
  free(packing.offsets);
  return 1;
}

static int setInt8Weights(const Int8Descriptor *descriptor, uint8_t *memory, const uint32_t *indices,
                   const int8_t *values, size_t count) {
  const Packing packing = packingOf(descriptor);
  if (!packing.offsets) return 0;
  for (size_t i = 0; i < count;) {
    const size_t channel = indices[i] / packing.window;
    const size_t first = channel * packing.window;
    int8_t *packed = (int8_t *)(memory + descriptor->weights) + firstPlace(descriptor, channel);
    uint32_t growth = 0;
    for (; i < count && indices[i] < first + packing.window; i++) {
      int8_t *weight = packed + packing.offsets[indices[i] - first];
      growth += (uint32_t)(values[i] - *weight);
      *weight = values[i];
    }
    if (growth) correctBias(descriptor, memory, channel, growth);
  }
  free(packing.offsets);
  return 1;
}
