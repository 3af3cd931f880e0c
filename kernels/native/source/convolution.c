#include "convolution.h"

#include <string.h>

#include "gather.h"
#include "transformed.h"

static inline size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* What a block of gathered windows is multiplied by, and where its sums go: channels of one group. */
typedef struct {
  const uint8_t *windows;
  size_t windowStride;
  size_t rows;
  size_t group;
  /* Of the panels of the group. */
  size_t firstPanel;
  size_t panels;
  /* Sums of the first channel of the first panel, and sums from one row to the next. */
  int32_t *sums;
  size_t sumStride;
} PanelProduct;

static inline size_t groupOutputs(const Int8Descriptor *descriptor) {
  return (size_t)descriptor->window.outputChannels / (size_t)descriptor->window.groups;
}

/* Steps outermost but for the panels of a tile: their weights stay in the level-1 cache while all rows pass. */
static void multiplyPanels(const InstructionSet *set, const Int8Descriptor *descriptor,
                           const uint8_t *memory, const PanelProduct *product) {
  const size_t steps = (size_t)descriptor->steps;
  const size_t panelBytes = steps * PANEL_CHANNELS * STEP_TAPS;
  const size_t firstPanel =
      product->group * (size_t)descriptor->panelsPerGroup + product->firstPanel;
  const int8_t *weights = (const int8_t *)(memory + descriptor->weights) + firstPanel * panelBytes;
  const int32_t *bias = (const int32_t *)(memory + descriptor->bias) +
                        product->group * groupOutputs(descriptor) +
                        product->firstPanel * PANEL_CHANNELS;
  // Weights that are used once are read in their order.
  const size_t blockSteps =
      product->rows <= set->tileRows ? steps : (size_t)descriptor->blockSteps;
  for (size_t panel = 0; panel < product->panels; panel += set->tilePanels) {
    const size_t tilePanels = smaller(set->tilePanels, product->panels - panel);
    const size_t channel = panel * PANEL_CHANNELS;
    for (size_t step = 0; step < steps; step += blockSteps) {
      const size_t tileSteps = smaller(blockSteps, steps - step);
      const int8_t *b = weights + panel * panelBytes + step * PANEL_CHANNELS * STEP_TAPS;
      for (size_t row = 0; row < product->rows; row += set->tileRows) {
        set->multiplyInt8(smaller(set->tileRows, product->rows - row), tilePanels, tileSteps,
                          product->windows + row * product->windowStride + step * STEP_TAPS,
                          product->windowStride, b, panelBytes,
                          product->sums + row * product->sumStride + channel, product->sumStride,
                          step == 0 ? bias + channel : NULL);
      }
    }
  }
}

/* Channels of a product that are channels of its group: its last panel may have fewer than 16. */
static size_t channelsOf(const Int8Descriptor *descriptor, const PanelProduct *product) {
  return smaller(product->panels * PANEL_CHANNELS,
                 groupOutputs(descriptor) - product->firstPanel * PANEL_CHANNELS);
}

/* What weight zero points make of a sum, −z · Σ x for each channel. */
static void subtractZeroPoints(const Int8Descriptor *descriptor, const uint8_t *memory,
                               const PanelProduct *product) {
  const WindowDescriptor *window = &descriptor->window;
  const size_t taps = (size_t)window->inputChannels / (size_t)window->groups *
                      (size_t)window->kernelHeight * (size_t)window->kernelWidth;
  const size_t channels = channelsOf(descriptor, product);
  const int32_t *zeroPoints = (const int32_t *)(memory + descriptor->weightZeroPoints) +
                              product->group * groupOutputs(descriptor) +
                              product->firstPanel * PANEL_CHANNELS;
  for (size_t row = 0; row < product->rows; row++) {
    const uint8_t *values = product->windows + row * product->windowStride;
    uint32_t sum = 0;
    for (size_t tap = 0; tap < taps; tap++) sum += values[tap];
    uint32_t *sums = (uint32_t *)product->sums + row * product->sumStride;
    for (size_t c = 0; c < channels; c++) sums[c] -= sum * (uint32_t)zeroPoints[c];
  }
}

static void accumulatePanels(const InstructionSet *set, const Int8Descriptor *descriptor,
                             const uint8_t *memory, const PanelProduct *product) {
  multiplyPanels(set, descriptor, memory, product);
  if (descriptor->weightZeroPoints) subtractZeroPoints(descriptor, memory, product);
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

/* Windows of `rows` output positions from `firstRow` on, of one group, gathered where they do not lie in the input. */
static void placeWindows(const Int8Descriptor *descriptor, uint8_t *memory, const uint8_t *input,
                         size_t firstRow, PanelProduct *product) {
  const WindowDescriptor *window = &descriptor->window;
  const size_t channels = (size_t)window->inputChannels;
  if (isInPlace(descriptor)) {
    product->windows = input + firstRow * channels;
    product->windowStride = channels;
    return;
  }
  const size_t positions = (size_t)window->outputHeight * (size_t)window->outputWidth;
  const size_t imageBytes = (size_t)window->inputHeight * (size_t)window->inputWidth * channels;
  uint8_t *gathered = memory + descriptor->windows;
  product->windows = gathered;
  product->windowStride = (size_t)descriptor->windowStride;
  const uint8_t *image = input + firstRow / positions * imageBytes;
  int64_t y = (int64_t)(firstRow % positions / (size_t)window->outputWidth);
  int64_t x = (int64_t)(firstRow % (size_t)window->outputWidth);
  // Counted on: a division takes longer than a window of few channels.
  for (size_t row = 0; row < product->rows; row++) {
    gatherFrom(window, 1, descriptor->inputZeroPoint, image, y * window->strideY - window->padTop,
               x * window->strideX - window->padLeft, product->group,
               gathered + row * product->windowStride);
    if (++x < window->outputWidth) continue;
    x = 0;
    if (++y < window->outputHeight) continue;
    y = 0;
    image += imageBytes;
  }
}

void accumulateInt8(const InstructionSet *set, const Int8Descriptor *descriptor, uint8_t *memory,
                    const uint8_t *input, size_t firstRow, size_t rows) {
  int32_t *accumulators = (int32_t *)(memory + descriptor->accumulators);
  if (descriptor->depthwise) {
    set->lanes->accumulateDepthwise(descriptor, memory, input, accumulators, firstRow, rows);
    return;
  }
  // The last panel of a group spills into the channels of the next group, which is multiplied later.
  for (size_t group = 0; group < (size_t)descriptor->window.groups; group++) {
    PanelProduct product = {
        .rows = rows,
        .group = group,
        .panels = (size_t)descriptor->panelsPerGroup,
        .sums = accumulators + group * groupOutputs(descriptor),
        .sumStride = (size_t)descriptor->rowStride,
    };
    placeWindows(descriptor, memory, input, firstRow, &product);
    accumulatePanels(set, descriptor, memory, &product);
  }
}

static void runDepthwise(const InstructionSet *set, const Int8Descriptor *descriptor,
                         uint8_t *memory, const uint8_t *input, uint8_t *output, size_t total) {
  const size_t channels = (size_t)descriptor->window.outputChannels;
  const int32_t *accumulators = (const int32_t *)(memory + descriptor->accumulators);
  for (size_t row = 0; row < total; row += (size_t)descriptor->blockRows) {
    const size_t rows = smaller((size_t)descriptor->blockRows, total - row);
    accumulateInt8(set, descriptor, memory, input, row, rows);
    set->lanes->finishInt8(descriptor, memory, accumulators, (size_t)descriptor->rowStride,
                           output + row * channels, row, rows, 0, channels);
  }
}

/* Some panels of each group: the sums of a tile's panels are finished before the next are made. */
static void runDirect(const InstructionSet *set, const Int8Descriptor *descriptor, uint8_t *memory,
                      const uint8_t *input, uint8_t *output, size_t total, size_t firstPanel,
                      size_t panels) {
  const size_t channels = (size_t)descriptor->window.outputChannels;
  for (size_t row = 0; row < total; row += (size_t)descriptor->panelRows) {
    PanelProduct product = {
        .rows = smaller((size_t)descriptor->panelRows, total - row),
        .sums = (int32_t *)(memory + descriptor->accumulators),
        .sumStride = set->tilePanels * PANEL_CHANNELS,
    };
    for (; product.group < (size_t)descriptor->window.groups; product.group++) {
      placeWindows(descriptor, memory, input, row, &product);
      for (size_t panel = 0; panel < panels; panel += set->tilePanels) {
        product.firstPanel = firstPanel + panel;
        product.panels = smaller(set->tilePanels, panels - panel);
        accumulatePanels(set, descriptor, memory, &product);
        const size_t channel =
            product.group * groupOutputs(descriptor) + product.firstPanel * PANEL_CHANNELS;
        set->lanes->finishInt8(descriptor, memory, product.sums, product.sumStride,
                               output + row * channels, row, product.rows, channel,
                               channelsOf(descriptor, &product));
      }
    }
  }
}

/* Products of the panels of a tile and of all taps that meet inputs: sums [output position][image][channel of the tile]. */
static void multiplyInside(const InstructionSet *set, const Int8Descriptor *descriptor,
                           const uint8_t *memory, const uint8_t *input, size_t firstImage,
                           size_t images, size_t firstPanel, size_t panels, int32_t *sums) {
  const WindowDescriptor *window = &descriptor->window;
  const size_t channels = (size_t)window->inputChannels;
  const size_t tapSteps = channels / STEP_TAPS;
  const size_t panelBytes = (size_t)descriptor->steps * PANEL_CHANNELS * STEP_TAPS;
  const int8_t *weights = (const int8_t *)(memory + descriptor->weights) + firstPanel * panelBytes;
  const size_t imageBytes = (size_t)window->inputHeight * (size_t)window->inputWidth * channels;
  const size_t sumStride = set->tilePanels * PANEL_CHANNELS;
  const int64_t taps = (int64_t)window->kernelHeight * window->kernelWidth;
  const size_t blockSteps = (size_t)descriptor->blockSteps;
  for (int64_t tap = 0; tap < taps; tap++) {
    const int64_t tapY = tap / window->kernelWidth * window->dilationY - window->padTop;
    const int64_t tapX = tap % window->kernelWidth * window->dilationX - window->padLeft;
    for (size_t step = 0; step < tapSteps; step += blockSteps) {
      const size_t count = smaller(blockSteps, tapSteps - step);
      const int8_t *b = weights + ((size_t)tap * tapSteps + step) * PANEL_CHANNELS * STEP_TAPS;
      size_t position = 0;
      for (int64_t outputY = 0; outputY < window->outputHeight; outputY++) {
        const int64_t y = outputY * window->strideY + tapY;
        for (int64_t outputX = 0; outputX < window->outputWidth; outputX++, position++) {
          const int64_t x = outputX * window->strideX + tapX;
          if (y < 0 || y >= window->inputHeight || x < 0 || x >= window->inputWidth) continue;
          const uint8_t *a = input + firstImage * imageBytes +
                             (size_t)(y * window->inputWidth + x) * channels + step * STEP_TAPS;
          int32_t *c = sums + position * images * sumStride;
          for (size_t image = 0; image < images; image += set->tileRows) {
            set->multiplyInt8(smaller(set->tileRows, images - image), panels, count,
                              a + image * imageBytes, imageBytes, b, panelBytes,
                              c + image * sumStride, sumStride, NULL);
          }
        }
      }
    }
  }
}

/*
 * Tap by tap, each for those output positions where it meets no padding: rows are images, whose pixels lie in the input as
 * they are needed. Padding of zeros adds nothing.
 */
static void runUnpadded(const InstructionSet *set, const Int8Descriptor *descriptor,
                        uint8_t *memory, const uint8_t *input, uint8_t *output, size_t images) {
  const WindowDescriptor *window = &descriptor->window;
  const size_t channels = (size_t)window->outputChannels;
  const size_t positions = (size_t)window->outputHeight * (size_t)window->outputWidth;
  const size_t sumStride = set->tilePanels * PANEL_CHANNELS;
  int32_t *sums = (int32_t *)(memory + descriptor->accumulators);
  for (size_t image = 0; image < images; image += (size_t)descriptor->unpaddedBlock) {
    const size_t rows = smaller((size_t)descriptor->unpaddedBlock, images - image);
    for (size_t panel = 0; panel < (size_t)descriptor->panelsPerGroup; panel += set->tilePanels) {
      const size_t panels = smaller(set->tilePanels, (size_t)descriptor->panelsPerGroup - panel);
      const size_t channel = panel * PANEL_CHANNELS;
      const int32_t *bias = (const int32_t *)(memory + descriptor->bias) + channel;
      for (size_t row = 0; row < positions * rows; row++) {
        memmove(sums + row * sumStride, bias, panels * PANEL_CHANNELS * sizeof *sums);
      }
      multiplyInside(set, descriptor, memory, input, image, rows, panel, panels, sums);
      for (size_t position = 0; position < positions; position++) {
        for (size_t row = 0; row < rows; row++) {
          set->lanes->finishInt8(descriptor, memory, sums + (position * rows + row) * sumStride,
                                 sumStride,
                                 output + ((image + row) * positions + position) * channels,
                                 position, 1, channel,
                                 smaller(panels * PANEL_CHANNELS, channels - channel));
        }
      }
    }
  }
}

void runInt8(const InstructionSet *set, const Int8Descriptor *descriptor, uint8_t *memory,
             const uint8_t *input, uint8_t *output, size_t images) {
  const WindowDescriptor *window = &descriptor->window;
  const size_t total = images * (size_t)window->outputHeight * (size_t)window->outputWidth;
  const size_t panels = (size_t)descriptor->panelsPerGroup;
  if (descriptor->depthwise) {
    runDepthwise(set, descriptor, memory, input, output, total);
    return;
  }
  if (!isTransformed(set, descriptor) || images < (size_t)descriptor->transformedImages) {
    if (isUnpadded(descriptor) && images >= (size_t)descriptor->unpaddedImages) {
      runUnpadded(set, descriptor, memory, input, output, images);
      return;
    }
    runDirect(set, descriptor, memory, input, output, total, 0, panels);
    return;
  }
  uint8_t unproven[MOST_TRANSFORMED_GROUPS];
  runTransformed(set, descriptor, memory, input, output, images, unproven);
  for (size_t panel = 0; panel < panels; panel += TRANSFORMED_PANELS) {
    if (unproven[panel / TRANSFORMED_PANELS]) {
      runDirect(set, descriptor, memory, input, output, total, panel,
                smaller(TRANSFORMED_PANELS, panels - panel));
    }
  }
}
