#include "convolution.h"

#include "gather.h"

static inline size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* Steps outermost but for the panels of a tile: their weights stay in the level-1 cache while all rows pass. */
static void multiplyGroup(const InstructionSet *set, const Int8Descriptor *descriptor,
                          const uint8_t *memory, const uint8_t *windows, size_t windowStride,
                          int32_t *accumulators, size_t group, size_t rows) {
  const size_t steps = (size_t)descriptor->steps;
  const size_t panels = (size_t)descriptor->panelsPerGroup;
  const size_t rowStride = (size_t)descriptor->rowStride;
  const size_t panelBytes = steps * PANEL_CHANNELS * STEP_TAPS;
  const size_t groupOutputs =
      (size_t)descriptor->window.outputChannels / (size_t)descriptor->window.groups;
  const int8_t *weights =
      (const int8_t *)(memory + descriptor->weights) + group * panels * panelBytes;
  const int32_t *bias = (const int32_t *)(memory + descriptor->bias) + group * groupOutputs;
  int32_t *sums = accumulators + group * groupOutputs;
  // Weights that are used once are read in their order.
  const size_t blockSteps = rows <= set->tileRows ? steps : (size_t)descriptor->blockSteps;
  for (size_t panel = 0; panel < panels; panel += set->tilePanels) {
    const size_t tilePanels = smaller(set->tilePanels, panels - panel);
    const size_t channel = panel * PANEL_CHANNELS;
    for (size_t step = 0; step < steps; step += blockSteps) {
      const size_t tileSteps = smaller(blockSteps, steps - step);
      const int8_t *b = weights + panel * panelBytes + step * PANEL_CHANNELS * STEP_TAPS;
      for (size_t row = 0; row < rows; row += set->tileRows) {
        set->multiplyInt8(smaller(set->tileRows, rows - row), tilePanels, tileSteps,
                          windows + row * windowStride + step * STEP_TAPS, windowStride, b,
                          panelBytes, sums + row * rowStride + channel, rowStride,
                          step == 0 ? bias + channel : NULL);
      }
    }
  }
}

/* What weight zero points make of a sum, −z · Σ x for each channel. */
static void subtractZeroPoints(const Int8Descriptor *descriptor, const uint8_t *memory,
                               const uint8_t *windows, size_t windowStride, int32_t *accumulators,
                               size_t group, size_t rows) {
  const WindowDescriptor *window = &descriptor->window;
  const size_t groupOutputs = (size_t)window->outputChannels / (size_t)window->groups;
  const size_t taps = (size_t)window->inputChannels / (size_t)window->groups *
                      (size_t)window->kernelHeight * (size_t)window->kernelWidth;
  const int32_t *zeroPoints =
      (const int32_t *)(memory + descriptor->weightZeroPoints) + group * groupOutputs;
  for (size_t row = 0; row < rows; row++) {
    const uint8_t *values = windows + row * windowStride;
    uint32_t sum = 0;
    for (size_t tap = 0; tap < taps; tap++) sum += values[tap];
    uint32_t *sums = (uint32_t *)accumulators + row * (size_t)descriptor->rowStride +
                     group * groupOutputs;
    for (size_t c = 0; c < groupOutputs; c++) sums[c] -= sum * (uint32_t)zeroPoints[c];
  }
}

/* Whether windows lie in the input as they would be gathered. */
static int isInPlace(const Int8Descriptor *descriptor) {
  const WindowDescriptor *window = &descriptor->window;
  return window->kernelHeight == 1 && window->kernelWidth == 1 && window->strideY == 1 &&
         window->strideX == 1 && window->groups == 1 &&
         window->inputHeight == window->outputHeight &&
         window->inputWidth == window->outputWidth && window->padTop == 0 &&
         window->padLeft == 0 && window->inputChannels == descriptor->steps * STEP_TAPS &&
         window->inputChannels % 1024 != 0;
}

void accumulateInt8(const InstructionSet *set, const Int8Descriptor *descriptor, uint8_t *memory,
                    const uint8_t *input, size_t firstRow, size_t rows) {
  const WindowDescriptor *window = &descriptor->window;
  int32_t *accumulators = (int32_t *)(memory + descriptor->accumulators);
  if (descriptor->depthwise) {
    set->lanes->accumulateDepthwise(descriptor, memory, input, accumulators, firstRow, rows);
    return;
  }
  const size_t channels = (size_t)window->inputChannels;
  const size_t positions = (size_t)window->outputHeight * (size_t)window->outputWidth;
  const size_t imageBytes = (size_t)window->inputHeight * (size_t)window->inputWidth * channels;
  const int inPlace = isInPlace(descriptor);
  const size_t stride = inPlace ? channels : (size_t)descriptor->windowStride;
  uint8_t *gathered = memory + descriptor->windows;
  const uint8_t *windows = inPlace ? input + firstRow * channels : gathered;
  for (size_t group = 0; group < (size_t)window->groups; group++) {
    for (size_t row = 0; row < rows && !inPlace; row++) {
      const size_t image = (firstRow + row) / positions;
      const size_t position = (firstRow + row) % positions;
      gatherWindow(window, 1, descriptor->inputZeroPoint, input + image * imageBytes, position,
                   group, gathered + row * stride);
    }
    multiplyGroup(set, descriptor, memory, windows, stride, accumulators, group, rows);
    // The last panel of a group spills into the channels of the next group, which is multiplied later.
    if (descriptor->weightZeroPoints) {
      subtractZeroPoints(descriptor, memory, windows, stride, accumulators, group, rows);
    }
  }
}

void runInt8(const InstructionSet *set, const Int8Descriptor *descriptor, uint8_t *memory,
             const uint8_t *input, uint8_t *output, size_t images) {
  const WindowDescriptor *window = &descriptor->window;
  const size_t total = images * (size_t)window->outputHeight * (size_t)window->outputWidth;
  const size_t channels = (size_t)window->outputChannels;
  const int32_t *accumulators = (const int32_t *)(memory + descriptor->accumulators);
  for (size_t row = 0; row < total; row += (size_t)descriptor->blockRows) {
    const size_t rows = smaller((size_t)descriptor->blockRows, total - row);
    accumulateInt8(set, descriptor, memory, input, row, rows);
    set->lanes->finishInt8(descriptor, memory, accumulators, output + row * channels, row, rows);
  }
}
