#include "transformed.h"

#include <string.h>

enum { CACHE_LINE = 64, GROUP_CHANNELS = TRANSFORMED_PANELS * PANEL_CHANNELS };

static inline size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static inline size_t divideUp(size_t a, size_t b) { return (a + b - 1) / b; }

/* An odd number of cache lines: elements of a tile then lie in different sets of the caches. */
static inline size_t oddLines(size_t bytes) { return (divideUp(bytes, CACHE_LINE) | 1) * CACHE_LINE; }

/* One value in int16 takes 2 bytes; a pair of channels takes a lane of 16 output channels. */
static inline size_t panelBytes(size_t channels) { return channels / 2 * PANEL_CHANNELS * 4; }

enum { PRODUCT_ROW_BYTES = GROUP_CHANNELS * sizeof(int32_t) };

size_t inputElementBytes(const Int8Descriptor *descriptor) {
  return oddLines((size_t)descriptor->blockTiles * (size_t)descriptor->blockChannels *
                  sizeof(int16_t));
}

size_t weightElementBytes(const Int8Descriptor *descriptor) {
  return oddLines(TRANSFORMED_PANELS * panelBytes((size_t)descriptor->blockChannels));
}

size_t productElementBytes(const Int8Descriptor *descriptor) {
  return oddLines((size_t)descriptor->blockTiles * PRODUCT_ROW_BYTES);
}

size_t transformedGroups(const Int8Descriptor *descriptor) {
  return divideUp((size_t)descriptor->window.outputChannels, GROUP_CHANNELS);
}

size_t transformedBlocks(const Int8Descriptor *descriptor) {
  return divideUp((size_t)descriptor->window.inputChannels, (size_t)descriptor->blockChannels);
}

/* Sums of the positive and of the (negated) negative weights of the channels of a group. */
typedef struct {
  int32_t positive[GROUP_CHANNELS];
  int32_t negative[GROUP_CHANNELS];
} WeightBounds;

/* Stored inputs make a sum of at most 255 · positive and at least −255 · negative; it must lie within ±2^25. */
static int isProven(const WeightBounds *bounds) {
  enum { MOST = ((1 << 25) - 1) / UINT8_MAX };
  for (size_t channel = 0; channel < GROUP_CHANNELS; channel++) {
    if (bounds->positive[channel] > MOST || bounds->negative[channel] > MOST) return 0;
  }
  return 1;
}

/* What all steps of a run need. */
typedef struct {
  const InstructionSet *set;
  const Int8Descriptor *descriptor;
  uint8_t *memory;
  size_t inputElement;
  size_t weightElement;
  size_t productElement;
} Run;

/* Input channels from `first` on, of the panels of a group. */
static void transformWeights(const Run *run, size_t firstPanel, size_t panels, size_t first,
                             size_t count, uint8_t *weights, WeightBounds *bounds) {
  const Int8Descriptor *descriptor = run->descriptor;
  const size_t channels = (size_t)descriptor->window.inputChannels;
  const size_t storedBytes = (size_t)descriptor->steps * PANEL_CHANNELS * STEP_TAPS;
  const int8_t *stored = (const int8_t *)(run->memory + descriptor->weights);
  for (size_t panel = 0; panel < panels; panel++) {
    run->set->lanes->transformWeightsInt8(stored + (firstPanel + panel) * storedBytes, channels,
                                          first, count, weights + panel * panelBytes(count),
                                          run->weightElement,
                                          bounds->positive + panel * PANEL_CHANNELS,
                                          bounds->negative + panel * PANEL_CHANNELS);
  }
}

/* Products of `tiles` tiles and `count` channels; the first block of channels starts the sums. */
static void multiplyElements(const Run *run, size_t tiles, size_t panels, size_t first,
                             size_t count, const uint8_t *weights) {
  static const int32_t zeros[GROUP_CHANNELS];
  const InstructionSet *set = run->set;
  const size_t block = first / (size_t)run->descriptor->blockChannels;
  const uint8_t *inputs = run->memory + run->descriptor->transformedInputs +
                          block * TRANSFORMED_ELEMENTS * run->inputElement;
  uint8_t *products = run->memory + run->descriptor->products;
  const size_t rowBytes = count * sizeof(int16_t);
  for (size_t element = 0; element < TRANSFORMED_ELEMENTS; element++) {
    const int8_t *b = (const int8_t *)weights + element * run->weightElement;
    const uint8_t *a = inputs + element * run->inputElement;
    int32_t *c = (int32_t *)(products + element * run->productElement);
    for (size_t panel = 0; panel < panels; panel += set->tilePanels) {
      for (size_t tile = 0; tile < tiles; tile += set->wordRows) {
        set->multiplyInt16(smaller(set->wordRows, tiles - tile),
                           smaller(set->tilePanels, panels - panel), count / 2,
                           a + tile * rowBytes, rowBytes, b + panel * panelBytes(count),
                           panelBytes(count),
                           c + tile * GROUP_CHANNELS + panel * PANEL_CHANNELS, GROUP_CHANNELS,
                           first == 0 ? zeros : NULL);
      }
    }
  }
}

void runTransformed(const InstructionSet *set, const Int8Descriptor *descriptor, uint8_t *memory,
                    const uint8_t *input, uint8_t *output, size_t images, uint8_t *unproven) {
  const WindowDescriptor *window = &descriptor->window;
  const Run run = {
      .set = set,
      .descriptor = descriptor,
      .memory = memory,
      .inputElement = inputElementBytes(descriptor),
      .weightElement = weightElementBytes(descriptor),
      .productElement = productElementBytes(descriptor),
  };
  const size_t channels = (size_t)window->inputChannels;
  const size_t blockChannels = (size_t)descriptor->blockChannels;
  const size_t blocks = transformedBlocks(descriptor);
  const size_t panels = (size_t)descriptor->panelsPerGroup;
  const size_t total = images * divideUp((size_t)window->outputHeight, TRANSFORMED_OUTPUTS) *
                       divideUp((size_t)window->outputWidth, TRANSFORMED_OUTPUTS);
  // Blocks of like numbers of tiles, in whole rows of products where these fit.
  const size_t most = (size_t)descriptor->blockTiles;
  const size_t alike = divideUp(total, divideUp(total, most));
  const size_t blockTiles = smaller(divideUp(alike, set->wordRows) * set->wordRows, most);
  memset(unproven, 0, transformedGroups(descriptor));
  for (size_t tile = 0; tile < total; tile += blockTiles) {
    const size_t tiles = smaller(blockTiles, total - tile);
    set->lanes->transformInputsInt8(descriptor, memory, input, tile, tiles,
                                    memory + descriptor->transformedInputs, run.inputElement);
    for (size_t panel = 0; panel < panels; panel += TRANSFORMED_PANELS) {
      const size_t group = panel / TRANSFORMED_PANELS;
      const size_t count = smaller(TRANSFORMED_PANELS, panels - panel);
      if (unproven[group]) continue;
      WeightBounds bounds = {0};
      for (size_t block = 0; block < blocks; block++) {
        const size_t first = block * blockChannels;
        const size_t taken = smaller(blockChannels, channels - first);
        const size_t slot = descriptor->keepsWeights ? group * blocks + block : 0;
        uint8_t *weights = memory + descriptor->transformedWeights +
                           slot * TRANSFORMED_ELEMENTS * run.weightElement;
        if (tile == 0 || !descriptor->keepsWeights) {
          transformWeights(&run, panel, count, first, taken, weights, &bounds);
        }
        multiplyElements(&run, tiles, count, first, taken, weights);
      }
      unproven[group] = !isProven(&bounds);
      set->lanes->transformOutputsInt8(descriptor, memory, memory + descriptor->products,
                                       PRODUCT_ROW_BYTES, run.productElement, output, tile, tiles,
                                       panel * PANEL_CHANNELS, count * PANEL_CHANNELS);
    }
  }
}
