/*
 * Loops over channels in plain C, compiled once for each width of vectors: a file defines LANES, the name of its table,
 * and LANE_BYTES, the width, and includes this. The compiler vectorises them (-O3).
 */
#include <float.h>
#include <string.h>

#include "cells.h"
#include "instruction-set.h"
#include "weights.h"

/* A product or sum of floats must round to float32 at once. */
_Static_assert(FLT_EVAL_METHOD == 0, "float expressions must have float precision");

/* Adding 1.5 · 2^23 rounds to the nearest integer, halves to even, and leaves it in the low bits. */
static const float ROUNDING = 12582912.0f;

static inline int32_t bitsOf(float value) {
  int32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* clamp(roundHalfEven(fround(fround(sum) · multiplier)) + zeroPoint, low, high); bounds are less the zero point. */
static inline uint8_t requantized(int32_t sum, float multiplier, float low, float high,
                                  uint32_t offset) {
  float scaled = (float)sum * multiplier;
  scaled = scaled < low ? low : scaled;
  scaled = scaled > high ? high : scaled;
  return (uint8_t)((uint32_t)bitsOf(scaled + ROUNDING) + offset);
}

/* What becomes of accumulators. */
typedef struct {
  const float *multipliers;
  const int32_t *thresholds;
  size_t thresholdStride;
  int clip;
  float low;
  float high;
  uint32_t offset;
} Requantization;

static Requantization requantizationOf(const Int8Descriptor *descriptor, const uint8_t *memory) {
  return (Requantization){
      .multipliers = (const float *)(memory + descriptor->multipliers),
      .thresholds = (const int32_t *)(memory + descriptor->thresholds),
      .thresholdStride = (size_t)descriptor->thresholdStride,
      .clip = descriptor->clip,
      .low = (float)(descriptor->low - descriptor->outputZeroPoint),
      .high = (float)(descriptor->high - descriptor->outputZeroPoint),
      .offset = (uint32_t)descriptor->outputZeroPoint - (uint32_t)bitsOf(ROUNDING),
  };
}

/* Clip, requantise and store `count` channels from `channel` on, of one output position. */
static inline __attribute__((always_inline)) void finishChannels(const Requantization *how,
                                                                 const int32_t *restrict sums,
                                                                 size_t position, size_t channel,
                                                                 const size_t count,
                                                                 uint8_t *restrict stored) {
  const float *restrict multipliers = how->multipliers + channel;
  const int32_t *restrict limits =
      how->thresholds + position * how->thresholdStride + channel;
  const float low = how->low;
  const float high = how->high;
  const uint32_t offset = how->offset;
  if (how->clip == 0) {
    for (size_t c = 0; c < count; c++) {
      stored[c] = requantized(sums[c], multipliers[c], low, high, offset);
    }
  } else if (how->clip == 1) {
    for (size_t c = 0; c < count; c++) {
      const int32_t sum = sums[c] > limits[c] ? 0 : sums[c];
      stored[c] = requantized(sum, multipliers[c], low, high, offset);
    }
  } else {
    for (size_t c = 0; c < count; c++) {
      const int32_t sum = sums[c] > limits[c] ? limits[c] : sums[c];
      stored[c] = requantized(sum, multipliers[c], low, high, offset);
    }
  }
}

static void finishInt8(const Int8Descriptor *descriptor, const uint8_t *memory,
                       const int32_t *sums, size_t sumStride, uint8_t *output, size_t firstRow,
                       size_t rows, size_t channel, size_t count) {
  const WindowDescriptor *window = &descriptor->window;
  const size_t positions = (size_t)window->outputHeight * (size_t)window->outputWidth;
  const Requantization how = requantizationOf(descriptor, memory);
  for (size_t row = 0; row < rows; row++) {
    finishChannels(&how, sums + row * sumStride, (firstRow + row) % positions, channel, count,
                   output + row * (size_t)window->outputChannels + channel);
  }
}

#include "filters.h"

/* The part of a window inside the image, along one axis. */
typedef struct {
  size_t first;
  size_t end;
} Span;

static inline Span insideOf(size_t output, int32_t stride, int32_t pad, int32_t kernel,
                            int32_t size) {
  const int64_t start = (int64_t)output * stride - pad;
  const int64_t end = start + kernel;
  return (Span){(size_t)(start < 0 ? 0 : start), (size_t)(end > size ? size : end)};
}

static void poolUint8(const PoolingDescriptor *pooling, const uint8_t *input, uint8_t *output) {
  const size_t channels = (size_t)pooling->channels;
  for (size_t outputY = 0; outputY < (size_t)pooling->outputHeight; outputY++) {
    const Span ys = insideOf(outputY, pooling->strideY, pooling->padTop, pooling->kernelHeight,
                             pooling->inputHeight);
    for (size_t outputX = 0; outputX < (size_t)pooling->outputWidth; outputX++) {
      const Span xs = insideOf(outputX, pooling->strideX, pooling->padLeft, pooling->kernelWidth,
                               pooling->inputWidth);
      uint8_t *restrict largest = output;
      memset(largest, 0, channels);
      for (size_t y = ys.first; y < ys.end; y++) {
        for (size_t x = xs.first; x < xs.end; x++) {
          const uint8_t *restrict pixel = input + (y * (size_t)pooling->inputWidth + x) * channels;
          for (size_t c = 0; c < channels; c++) {
            largest[c] = largest[c] > pixel[c] ? largest[c] : pixel[c];
          }
        }
      }
      output += channels;
    }
  }
}

/* Any NaN makes a NaN, and -0 is less than +0: of equal numbers the common bits, of NaN and a number their sum. */
static inline float largerOf(float a, float b) {
  const int32_t commonBits = bitsOf(a) & bitsOf(b);
  float common;
  memcpy(&common, &commonBits, sizeof common);
  const float unequal = a > b ? a : b > a ? b : a + b;
  return a == b ? common : unequal;
}

static void poolFloat32(const PoolingDescriptor *pooling, const float *input, float *output) {
  const size_t channels = (size_t)pooling->channels;
  for (size_t outputY = 0; outputY < (size_t)pooling->outputHeight; outputY++) {
    const Span ys = insideOf(outputY, pooling->strideY, pooling->padTop, pooling->kernelHeight,
                             pooling->inputHeight);
    for (size_t outputX = 0; outputX < (size_t)pooling->outputWidth; outputX++) {
      const Span xs = insideOf(outputX, pooling->strideX, pooling->padLeft, pooling->kernelWidth,
                               pooling->inputWidth);
      float *restrict largest = output;
      const float *first =
          input + (ys.first * (size_t)pooling->inputWidth + xs.first) * channels;
      memmove(largest, first, channels * sizeof *largest);
      for (size_t y = ys.first; y < ys.end; y++) {
        for (size_t x = xs.first; x < xs.end; x++) {
          const float *restrict pixel = input + (y * (size_t)pooling->inputWidth + x) * channels;
          for (size_t c = 0; c < channels; c++) largest[c] = largerOf(largest[c], pixel[c]);
        }
      }
      output += channels;
    }
  }
}

/* A sum after clip and ReLU. Not x > 0, so that NaN stays. */
static inline float finished(float sum, float threshold, int clip, int relu) {
  if (clip == 1) sum = sum <= threshold ? sum : 0.0f;
  if (clip == 2) sum = sum > threshold ? threshold : sum;
  return relu && sum <= 0.0f ? 0.0f : sum;
}

static void finishFloat32(const Float32FinishDescriptor *finish, const uint8_t *memory,
                          const uint8_t *sums, size_t sumBytes, uint8_t *output,
                          size_t outputBytes, size_t rows, size_t position, size_t step) {
  const size_t channels = (size_t)finish->channels;
  const int clip = finish->clip;
  const int relu = finish->relu;
  for (size_t row = 0; row < rows; row++) {
    const float *from = (const float *)(sums + row * sumBytes);
    float *to = (float *)(output + row * outputBytes);
    const float *thresholds = (const float *)(memory + finish->thresholds +
                                              position * (size_t)finish->thresholdStride);
    if (clip == 0) {
      for (size_t c = 0; c < channels; c++) to[c] = finished(from[c], 0.0f, 0, relu);
    } else {
      for (size_t c = 0; c < channels; c++) to[c] = finished(from[c], thresholds[c], clip, relu);
    }
    position += step;
    if (position == (size_t)finish->positions) position = 0;
  }
}

static int exceedsFloat32(const float *values, size_t count, int32_t limit) {
  int32_t largest = 0;
  for (size_t i = 0; i < count; i++) {
    const int32_t magnitude = bitsOf(values[i]) & 0x7fffffff;
    largest = largest > magnitude ? largest : magnitude;
  }
  return largest > limit;
}

enum { LARGEST_TILE = 6 };

/* Where the outputs of a tile go, and what becomes of its sums before. */
typedef struct {
  size_t rows;
  size_t columns;
  float *corner;
  const float *bias;
  const float *thresholds;
  /* From one output position to the next. */
  size_t thresholdStride;
  int clip;
  int relu;
  size_t channels;
  /* From one line of the output to the next. */
  size_t lineValues;
  size_t linePositions;
} OutputTile;

/* Tiles of Winograd's transforms, so many channels at a time: of whole vectors, and of four for what is left. */
#define VECTOR_BYTES LANE_BYTES
#define OF_VECTOR(name) name##OfLane
#include "winograd.h"
#undef VECTOR_BYTES
#undef OF_VECTOR

#define VECTOR_BYTES 16
#define OF_VECTOR(name) name##OfFour
#include "winograd.h"
#undef VECTOR_BYTES
#undef OF_VECTOR

#include "groups.h"

/* Where a line of a tile that starts at x (maybe outside the image) lies, or zeros. */
static inline const float *lineOf(const WinogradDescriptor *winograd, const uint8_t *memory,
                                  const float *image, int64_t y) {
  if (y < 0 || y >= winograd->inputHeight) return (const float *)(memory + winograd->zeros);
  return image + (size_t)y * (size_t)winograd->inputWidth * (size_t)winograd->inputChannels;
}

static void transformInputs(const WinogradDescriptor *winograd, const uint8_t *memory,
                            const float *input, uint8_t *transformed, size_t firstTile,
                            size_t tiles) {
  const size_t outputs = (size_t)winograd->tileOutputs;
  const size_t size = outputs + 2;
  const size_t channels = (size_t)winograd->inputChannels;
  const size_t imageValues =
      (size_t)winograd->inputHeight * (size_t)winograd->inputWidth * channels;
  const size_t columns = (size_t)winograd->tileColumns;
  const size_t tilesPerImage = (size_t)winograd->tileRows * columns;
  const size_t lane = LANE_BYTES / sizeof(float);
  for (size_t tile = firstTile; tile < firstTile + tiles; tile++) {
    const float *image = input + tile / tilesPerImage * imageValues;
    const size_t place = tile % tilesPerImage;
    const int64_t y = (int64_t)(place / columns * outputs) - winograd->padTop;
    const int64_t x = (int64_t)(place % columns * outputs) - winograd->padLeft;
    const float *lines[LARGEST_TILE];
    int inside[LARGEST_TILE];
    for (size_t i = 0; i < size; i++) {
      const int64_t column = x + (int64_t)i;
      lines[i] = lineOf(winograd, memory, image, y + (int64_t)i);
      inside[i] = column >= 0 && column < winograd->inputWidth;
    }
    // Zeros have no columns: they serve every one.
    const float *zeros = (const float *)(memory + winograd->zeros);
    size_t channel = 0;
    for (; channel + lane <= channels; channel += lane) {
      transformInputTileOfLane(lines, zeros, x, inside, size, channels, channel,
                               transformed + channel * sizeof(float),
                               (size_t)winograd->inputPlane);
    }
    for (; channel < channels; channel += 4) {
      transformInputTileOfFour(lines, zeros, x, inside, size, channels, channel,
                               transformed + channel * sizeof(float),
                               (size_t)winograd->inputPlane);
    }
    transformed += channels * sizeof(float);
  }
}

static void transformOutputs(const WinogradDescriptor *winograd,
                             const Float32FinishDescriptor *finish, const uint8_t *memory,
                             const uint8_t *products, float *output, size_t firstTile,
                             size_t tiles) {
  const size_t outputs = (size_t)winograd->tileOutputs;
  const size_t channels = (size_t)winograd->outputChannels;
  const size_t height = (size_t)winograd->outputHeight;
  const size_t width = (size_t)winograd->outputWidth;
  const size_t columns = (size_t)winograd->tileColumns;
  const size_t tilesPerImage = (size_t)winograd->tileRows * columns;
  const size_t lane = LANE_BYTES / sizeof(float);
  for (size_t tile = firstTile; tile < firstTile + tiles; tile++) {
    const size_t place = tile % tilesPerImage;
    const size_t y = place / columns * outputs;
    const size_t x = place % columns * outputs;
    const OutputTile to = {
        .rows = height - y < outputs ? height - y : outputs,
        .columns = width - x < outputs ? width - x : outputs,
        .corner = output + ((tile / tilesPerImage * height + y) * width + x) * channels,
        .bias = (const float *)(memory + winograd->bias),
        .thresholds = (const float *)(memory + finish->thresholds +
                                      (y * width + x) * (size_t)finish->thresholdStride),
        .thresholdStride = (size_t)finish->thresholdStride / sizeof(float),
        .clip = finish->clip,
        .relu = finish->relu,
        .channels = channels,
        .lineValues = width * channels,
        .linePositions = width,
    };
    size_t channel = 0;
    for (; channel + lane <= channels; channel += lane) {
      transformOutputTileOfLane(products + channel * sizeof(float), (size_t)winograd->outputPlane,
                                outputs, channel, &to);
    }
    for (; channel < channels; channel += 4) {
      transformOutputTileOfFour(products + channel * sizeof(float), (size_t)winograd->outputPlane,
                                outputs, channel, &to);
    }
    products += channels * sizeof(float);
  }
}

#include "transforms-int8.h"

#include "delta.h"

const Lanes LANES = {
    .finishInt8 = finishInt8,
    .accumulateDepthwise = accumulateDepthwise,
    .poolUint8 = poolUint8,
    .poolFloat32 = poolFloat32,
    .finishFloat32 = finishFloat32,
    .transformInputs = transformInputs,
    .transformOutputs = transformOutputs,
    .addFloat32Groups = addFloat32Groups,
    .exceedsFloat32 = exceedsFloat32,
    .transformInputsInt8 = transformInputsInt8,
    .transformWeightsInt8 = transformWeightsInt8,
    .transformOutputsInt8 = transformOutputsInt8,
    .markDraws = markDraws,
    .markKinds = markKinds,
    .arrangeBits = arrangeBits,
    .countBits = countBits,
    .invertInt8Weights = invertInt8Weights,
    .setInt8Weights = setInt8Weights,
    .updateConvolution = updateConvolution,
};
