#include "checks.h"

#include <string.h>

#include "convolution.h"
#include "transformed.h"

static const char *const OUTSIDE = "an address lies outside the memory";
static const char *const MISALIGNED = "an address is not aligned";
static const char *const WRONG_SIZE = "a size of the descriptor is out of range";
static const char *const WRONG_NUMBER = "a number of rows, channels or tiles is out of range";
static const char *const OVERLAPPING = "what is written overlaps what is read";
static const char *const WRONG_WINDOW = "the windows of the descriptor do not fit its maps";

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* A product of two counts; anything that overflows is larger than any memory. */
static uint64_t times(uint64_t a, uint64_t b) {
  uint64_t product;
  return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t plus(uint64_t a, uint64_t b) {
  uint64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static int isInside(const Memory *memory, uint64_t address, uint64_t bytes) {
  return plus(address, bytes) <= memory->bytes;
}

static int isAligned(uint32_t address) { return address % sizeof(int32_t) == 0; }

/* What lies at an address, in a place that no kernel writes to. */
static const char *copyFrom(const Memory *memory, uint32_t address, void *to, size_t bytes) {
  if (!isAligned(address)) return MISALIGNED;
  if (!isInside(memory, address, bytes)) return OUTSIDE;
  memcpy(to, memory->start + address, bytes);
  return NULL;
}

/* Addresses of values of 32 bits. */
static int areAligned(const uint32_t *addresses, size_t number) {
  for (size_t i = 0; i < number; i++) {
    if (!isAligned(addresses[i])) return 0;
  }
  return 1;
}

static int arePositive(const int32_t *sizes, size_t number) {
  for (size_t i = 0; i < number; i++) {
    if (sizes[i] < 1) return 0;
  }
  return 1;
}

static uint64_t count(int32_t a, int32_t b, int32_t c) {
  return times(times((uint64_t)a, (uint64_t)b), (uint64_t)c);
}

/* Sizes are 1 or more, and pads 0 or more. */
static const char *checkWindow(const WindowDescriptor *window) {
  const int32_t positive[] = {
      window->inputHeight,  window->inputWidth,  window->inputChannels, window->outputHeight,
      window->outputWidth,  window->outputChannels, window->kernelHeight, window->kernelWidth,
      window->strideY,      window->strideX,     window->dilationY,     window->dilationX,
      window->groups,
  };
  if (!arePositive(positive, LENGTH(positive))) return WRONG_SIZE;
  if (window->padTop < 0 || window->padLeft < 0) return WRONG_SIZE;
  if (window->inputChannels % window->groups || window->outputChannels % window->groups) {
    return WRONG_SIZE;
  }
  return NULL;
}

/* What F(4×4, 3×3) asks of a convolution, beyond what every one must have. */
static const char *checkTransformed(const Memory *memory, const Int8Descriptor *descriptor) {
  const WindowDescriptor *window = &descriptor->window;
  const int32_t ones[] = {window->strideY, window->strideX, window->dilationY, window->dilationX,
                          window->groups};
  for (size_t i = 0; i < LENGTH(ones); i++) {
    if (ones[i] != 1) return WRONG_WINDOW;
  }
  if (window->kernelHeight != 3 || window->kernelWidth != 3) return WRONG_WINDOW;
  // Whole panels, and whole vectors of the blocks of channels.
  if (descriptor->depthwise || window->inputChannels % PANEL_CHANNELS ||
      window->outputChannels != (int64_t)descriptor->panelsPerGroup * PANEL_CHANNELS ||
      window->inputChannels > MOST_TRANSFORMED_CHANNELS ||
      window->outputChannels > MOST_TRANSFORMED_CHANNELS || descriptor->blockTiles < 1 ||
      descriptor->blockTiles > MOST_TRANSFORMED_TILES || descriptor->blockChannels < 1 ||
      descriptor->blockChannels > MOST_TRANSFORMED_CHANNELS ||
      descriptor->blockChannels % TRANSFORMED_CHANNELS) {
    return WRONG_SIZE;
  }
  const uint32_t addresses[] = {descriptor->transformedInputs, descriptor->transformedWeights,
                                descriptor->products};
  if (!areAligned(addresses, LENGTH(addresses))) return MISALIGNED;
  const uint64_t places =
      descriptor->keepsWeights
          ? times(transformedGroups(descriptor), transformedBlocks(descriptor))
          : 1;
  const uint64_t elements = TRANSFORMED_ELEMENTS;
  return isInside(memory, descriptor->padding, (uint64_t)window->inputChannels) &&
                 isInside(memory, descriptor->transformedInputs,
                          times(times(transformedBlocks(descriptor), elements),
                                inputElementBytes(descriptor))) &&
                 isInside(memory, descriptor->transformedWeights,
                          times(times(places, elements), weightElementBytes(descriptor))) &&
                 isInside(memory, descriptor->products,
                          times(elements, productElementBytes(descriptor)))
             ? NULL
             : OUTSIDE;
}

/* What leaving out the taps of padding asks of a convolution. */
static const char *checkUnpadded(const Memory *memory, const InstructionSet *set,
                                 const Int8Descriptor *descriptor) {
  const WindowDescriptor *window = &descriptor->window;
  if (descriptor->depthwise || window->groups != 1 || descriptor->unpaddedBlock < 1 ||
      window->inputChannels % STEP_TAPS ||
      (size_t)window->inputChannels / STEP_TAPS % set->tileSteps) {
    return WRONG_SIZE;
  }
  const uint64_t rows =
      count(window->outputHeight, window->outputWidth, descriptor->unpaddedBlock);
  const uint64_t rowBytes = set->tilePanels * PANEL_CHANNELS * sizeof(int32_t);
  return isInside(memory, descriptor->accumulators, times(rows, rowBytes)) ? NULL : OUTSIDE;
}

const char *checkInt8(const Memory *memory, uint32_t address, const InstructionSet *set,
                      Int8Descriptor *descriptor) {
  const char *wrong = copyFrom(memory, address, descriptor, sizeof *descriptor);
  if (wrong) return wrong;
  const WindowDescriptor *window = &descriptor->window;
  wrong = checkWindow(window);
  if (wrong) return wrong;
  const uint64_t channels = (uint64_t)window->outputChannels;
  const uint64_t groups = (uint64_t)window->groups;
  const int32_t stored[] = {descriptor->inputZeroPoint, descriptor->outputZeroPoint,
                            descriptor->low, descriptor->high};
  for (size_t i = 0; i < LENGTH(stored); i++) {
    if (stored[i] < 0 || stored[i] > UINT8_MAX) return WRONG_SIZE;
  }
  if (descriptor->rowStride < 1 || descriptor->blockRows < 1 || descriptor->thresholdStride < 0) {
    return WRONG_SIZE;
  }
  const uint64_t rowStride = (uint64_t)descriptor->rowStride;
  const uint64_t rows = (uint64_t)descriptor->blockRows;
  const uint64_t positions =
      times((uint64_t)window->outputHeight, (uint64_t)window->outputWidth);
  const uint32_t addresses[] = {descriptor->bias, descriptor->weightZeroPoints,
                                descriptor->multipliers, descriptor->thresholds,
                                descriptor->accumulators};
  if (!areAligned(addresses, LENGTH(addresses))) return MISALIGNED;
  uint64_t weightBytes;
  uint64_t windowBytes = 0;
  uint64_t panelSums = 0;
  if (descriptor->depthwise) {
    if (window->inputChannels != window->groups || window->outputChannels != window->groups ||
        rowStride < channels) {
      return WRONG_SIZE;
    }
    weightBytes = count(window->kernelHeight, window->kernelWidth, window->outputChannels);
  } else {
    if (descriptor->steps < 1 || descriptor->panelsPerGroup < 1 || descriptor->blockSteps < 1 ||
        descriptor->windowStride < 1 || descriptor->panelRows < 1 || (size_t)descriptor->steps % set->tileSteps ||
        (size_t)descriptor->blockSteps % set->tileSteps) {
      return WRONG_SIZE;
    }
    const uint64_t panelChannels = times((uint64_t)descriptor->panelsPerGroup, PANEL_CHANNELS);
    const uint64_t groupOutputs = channels / groups;
    const uint64_t taps = times((uint64_t)descriptor->steps, STEP_TAPS);
    const uint64_t windowTaps = count(window->inputChannels / window->groups,
                                       window->kernelHeight, window->kernelWidth);
    if (panelChannels < groupOutputs || taps < windowTaps ||
        taps > (uint64_t)descriptor->windowStride ||
        rowStride < plus(times(groups - 1, groupOutputs), panelChannels)) {
      return WRONG_SIZE;
    }
    weightBytes = times(times(groups, panelChannels), taps);
    const uint64_t panelRows = (uint64_t)descriptor->panelRows;
    windowBytes =
        times(rows > panelRows ? rows : panelRows, (uint64_t)descriptor->windowStride);
    panelSums = times(panelRows, set->tilePanels * PANEL_CHANNELS * sizeof(int32_t));
  }
  const uint64_t vectorBytes = times(rowStride, sizeof(int32_t));
  const uint64_t thresholds =
      plus(times(positions - 1, (uint64_t)descriptor->thresholdStride), channels);
  if (!isInside(memory, descriptor->weights, weightBytes) ||
      !isInside(memory, descriptor->bias, vectorBytes) ||
      !isInside(memory, descriptor->weightZeroPoints, vectorBytes) ||
      !isInside(memory, descriptor->multipliers, vectorBytes) ||
      (descriptor->clip && !isInside(memory, descriptor->thresholds, times(thresholds, 4))) ||
      !isInside(memory, descriptor->windows, windowBytes) ||
      !isInside(memory, descriptor->accumulators, panelSums) ||
      !isInside(memory, descriptor->accumulators, times(rows, vectorBytes))) {
    return OUTSIDE;
  }
  wrong = isUnpadded(descriptor) ? checkUnpadded(memory, set, descriptor) : NULL;
  if (wrong) return wrong;
  return isTransformed(set, descriptor) ? checkTransformed(memory, descriptor) : NULL;
}

/* As many as there are packed weights at most, which lie in the memory. */
static uint64_t weightCount(const WindowDescriptor *window) {
  return times(count(window->inputChannels / window->groups, window->kernelHeight,
                     window->kernelWidth),
               (uint64_t)window->outputChannels);
}

const char *checkBits(const WindowDescriptor *window, size_t length) {
  return length == weightCount(window) ? NULL : WRONG_NUMBER;
}

const char *checkIndices(const WindowDescriptor *window, const uint32_t *indices, size_t length,
                         size_t values) {
  if (values != length) return WRONG_NUMBER;
  for (size_t i = 1; i < length; i++) {
    if (indices[i] <= indices[i - 1]) return WRONG_NUMBER;
  }
  return length == 0 || indices[length - 1] < weightCount(window) ? NULL : WRONG_NUMBER;
}

static const char *checkMaps(const Memory *memory, uint32_t address, uint64_t values,
                             uint32_t images, size_t valueBytes) {
  if (address % valueBytes) return MISALIGNED;
  return isInside(memory, address, times(times(images, values), valueBytes)) ? NULL : OUTSIDE;
}

const char *checkInput(const Memory *memory, const WindowDescriptor *window, uint32_t address,
                       uint32_t images, size_t valueBytes) {
  const uint64_t values =
      count(window->inputHeight, window->inputWidth, window->inputChannels);
  return checkMaps(memory, address, values, images, valueBytes);
}

const char *checkOutput(const Memory *memory, const WindowDescriptor *window, uint32_t address,
                        uint32_t images, size_t valueBytes) {
  const uint64_t values =
      count(window->outputHeight, window->outputWidth, window->outputChannels);
  return checkMaps(memory, address, values, images, valueBytes);
}

const char *checkRows(const WindowDescriptor *window, int32_t blockRows, uint32_t images,
                      uint32_t firstRow, uint32_t rows) {
  const uint64_t positions =
      times((uint64_t)window->outputHeight, (uint64_t)window->outputWidth);
  const int fits = rows <= (uint32_t)blockRows && plus(firstRow, rows) <= times(images, positions);
  return fits ? NULL : WRONG_SIZE;
}

/* Every window along an axis must hold at least one position of the map. */
static int holdsInputs(int32_t input, int32_t output, int32_t kernel, int32_t stride,
                       int32_t pad) {
  return pad >= 0 && pad < kernel && (int64_t)(output - 1) * stride - pad < input;
}

const char *checkPooling(const Memory *memory, uint32_t address, uint32_t input, uint32_t output,
                         uint32_t images, size_t valueBytes, PoolingDescriptor *pooling) {
  const char *wrong = copyFrom(memory, address, pooling, sizeof *pooling);
  if (wrong) return wrong;
  const int32_t positive[] = {
      pooling->channels,    pooling->inputHeight,  pooling->inputWidth,  pooling->outputHeight,
      pooling->outputWidth, pooling->kernelHeight, pooling->kernelWidth, pooling->strideY,
      pooling->strideX,
  };
  if (!arePositive(positive, LENGTH(positive))) return WRONG_SIZE;
  if (!holdsInputs(pooling->inputHeight, pooling->outputHeight, pooling->kernelHeight,
                   pooling->strideY, pooling->padTop) ||
      !holdsInputs(pooling->inputWidth, pooling->outputWidth, pooling->kernelWidth,
                   pooling->strideX, pooling->padLeft)) {
    return WRONG_WINDOW;
  }
  const uint64_t inputs = count(pooling->inputHeight, pooling->inputWidth, pooling->channels);
  const uint64_t outputs = count(pooling->outputHeight, pooling->outputWidth, pooling->channels);
  wrong = checkMaps(memory, input, inputs, images, valueBytes);
  return wrong ? wrong : checkMaps(memory, output, outputs, images, valueBytes);
}

/* Sizes are 1 or more, pads 0 or more, and rows of channels whole panels. */
static const char *checkDeltaSizes(const DeltaConvolutionDescriptor *delta) {
  const int32_t positive[] = {
      delta->inputHeight,  delta->inputWidth,     delta->inputChannels, delta->outputHeight,
      delta->outputWidth,  delta->outputChannels, delta->kernelHeight,  delta->kernelWidth,
      delta->strideY,      delta->strideX,        delta->dilationY,     delta->dilationX,
      delta->rowChannels,
  };
  const int isFit = arePositive(positive, LENGTH(positive)) && delta->padTop >= 0 &&
                    delta->padLeft >= 0 && delta->inputZeroPoint >= 0 &&
                    delta->inputZeroPoint <= UINT8_MAX &&
                    delta->rowChannels % PANEL_CHANNELS == 0 &&
                    delta->rowChannels >= delta->outputChannels;
  return isFit ? NULL : WRONG_SIZE;
}

static int isBelow(int32_t number, uint64_t bound) {
  return number >= 0 && (uint64_t)number < bound;
}

/* Each change and each patch must be of a value and of a weight that there are. */
static int holdsLists(const Memory *memory, const DeltaArguments *arguments,
                      const DeltaConvolutionDescriptor *delta) {
  const uint64_t inputs = times((uint64_t)delta->inputHeight, (uint64_t)delta->inputWidth);
  const Change *changes = (const Change *)(memory->start + arguments->changes);
  for (size_t i = 0; i < arguments->changeCount; i++) {
    if (!isBelow(changes[i].position, inputs) ||
        !isBelow(changes[i].channel, (uint64_t)delta->inputChannels)) {
      return 0;
    }
  }
  const Patch *patches = (const Patch *)(memory->start + arguments->patches);
  for (size_t i = 0; i < arguments->patchCount; i++) {
    if (!isBelow(patches[i].output, (uint64_t)delta->outputChannels) ||
        !isBelow(patches[i].input, (uint64_t)delta->inputChannels) ||
        !isBelow(patches[i].ky, (uint64_t)delta->kernelHeight) ||
        !isBelow(patches[i].kx, (uint64_t)delta->kernelWidth)) {
      return 0;
    }
  }
  return 1;
}

typedef struct {
  uint64_t address;
  uint64_t bytes;
} Region;

/* Whether no region that is written, which come first, overlaps another. */
static int areDisjoint(const Region *regions, size_t written, size_t number) {
  for (size_t i = 0; i < written; i++) {
    for (size_t k = i + 1; k < number; k++) {
      if (regions[i].address < regions[k].address + regions[k].bytes &&
          regions[k].address < regions[i].address + regions[i].bytes) {
        return 0;
      }
    }
  }
  return 1;
}

const char *checkDelta(const Memory *memory, uint32_t descriptor, const DeltaArguments *arguments,
                       DeltaConvolutionDescriptor *delta, Int8FinishDescriptor *finish) {
  const char *wrong = copyFrom(memory, descriptor, delta, sizeof *delta);
  if (!wrong) wrong = checkDeltaSizes(delta);
  if (!wrong) wrong = copyFrom(memory, delta->finish, finish, sizeof *finish);
  if (wrong) return wrong;
  const int32_t stored[] = {finish->zeroPoint, finish->low, finish->high};
  for (size_t i = 0; i < LENGTH(stored); i++) {
    if (stored[i] < 0 || stored[i] > UINT8_MAX) return WRONG_SIZE;
  }
  if (finish->thresholdStride < 0) return WRONG_SIZE;
  const uint32_t aligned[] = {
      delta->weights,         delta->starts,           delta->products,
      delta->differences,     finish->thresholds,      finish->multipliers,
      arguments->changes,     arguments->patches,      arguments->accumulators,
      arguments->target,      (uint32_t)finish->thresholdStride,
  };
  if (!areAligned(aligned, LENGTH(aligned))) return MISALIGNED;
  const uint64_t positions = times((uint64_t)delta->outputHeight, (uint64_t)delta->outputWidth);
  const uint64_t row = (uint64_t)delta->rowChannels;
  const uint64_t channels = (uint64_t)delta->outputChannels;
  const uint64_t taps = times((uint64_t)delta->kernelHeight, (uint64_t)delta->kernelWidth);
  const uint64_t sums = times(times(positions, row), sizeof(int32_t));
  const uint64_t thresholds = plus(times(positions - 1, (uint64_t)finish->thresholdStride),
                                   times(channels, sizeof(int32_t)));
  const Region regions[] = {
      {delta->starts, times(plus(positions, 1), sizeof(int32_t))},
      {delta->products, times(times(arguments->changeCount, taps), sizeof(Product))},
      {delta->differences, sums},
      {delta->usedBlocks, times(positions, row / PANEL_CHANNELS)},
      {arguments->output, times(positions, channels)},
      {arguments->target, times(times(positions, channels), sizeof(Change))},
      {delta->weights, times(times(taps, (uint64_t)delta->inputChannels),
                             times(row, sizeof(int16_t)))},
      {finish->multipliers, times(channels, sizeof(float))},
      {finish->thresholds, finish->clip ? thresholds : 0},
      {arguments->changes, times(arguments->changeCount, sizeof(Change))},
      {arguments->patches, times(arguments->patchCount, sizeof(Patch))},
      {arguments->input,
       count(delta->inputHeight, delta->inputWidth, delta->inputChannels)},
      {arguments->accumulators, sums},
  };
  enum { WRITTEN = 6 };
  for (size_t i = 0; i < LENGTH(regions); i++) {
    if (!isInside(memory, regions[i].address, regions[i].bytes)) return OUTSIDE;
  }
  if (!areDisjoint(regions, WRITTEN, LENGTH(regions))) return OVERLAPPING;
  return holdsLists(memory, arguments, delta) ? NULL : WRONG_NUMBER;
}

/* `rows` vectors of `bytes` bytes, `stride` bytes from one to the next. */
static uint64_t rowsBytes(uint64_t rows, uint64_t stride, uint64_t bytes) {
  return rows == 0 ? 0 : plus(times(rows - 1, stride), bytes);
}

const char *checkGather(const Memory *memory, uint32_t descriptor, uint32_t input, uint32_t block,
                        uint32_t firstRow, uint32_t rows, uint32_t group, GatherDescriptor *gather) {
  const char *wrong = copyFrom(memory, descriptor, gather, sizeof *gather);
  if (wrong) return wrong;
  if (!isAligned(input) || !isAligned(block)) return MISALIGNED;
  const int32_t positive[] = {
      gather->inputHeight,  gather->inputWidth,  gather->inputChannels, gather->outputHeight,
      gather->outputWidth,  gather->kernelHeight, gather->kernelWidth,  gather->strideY,
      gather->strideX,      gather->dilationY,   gather->dilationX,     gather->groupChannels,
      gather->rowStride,
  };
  if (!arePositive(positive, LENGTH(positive)) || gather->padTop < 0 || gather->padLeft < 0 ||
      gather->inputChannels % gather->groupChannels || gather->rowStride % 4) {
    return WRONG_SIZE;
  }
  const uint64_t window =
      times(count(gather->kernelHeight, gather->kernelWidth, gather->groupChannels), 4);
  if (window > (uint64_t)gather->rowStride) return WRONG_SIZE;
  if (group >= (uint32_t)(gather->inputChannels / gather->groupChannels)) return WRONG_NUMBER;
  if (rows == 0) return NULL;
  const uint64_t positions = times((uint64_t)gather->outputHeight, (uint64_t)gather->outputWidth);
  const uint64_t images = plus(plus(firstRow, rows - 1) / positions, 1);
  const uint64_t imageBytes =
      times(count(gather->inputHeight, gather->inputWidth, gather->inputChannels), 4);
  return isInside(memory, input, times(images, imageBytes)) &&
                 isInside(memory, block, times(rows, (uint64_t)gather->rowStride))
             ? NULL
             : OUTSIDE;
}

const char *checkFloat32Groups(const Memory *memory, uint32_t descriptor, uint32_t input,
                               uint32_t sums, uint32_t firstRow, uint32_t rows,
                               Float32GroupsDescriptor *groups) {
  const char *wrong = copyFrom(memory, descriptor, groups, sizeof *groups);
  if (!wrong) wrong = checkWindow(&groups->window);
  if (wrong) return wrong;
  const WindowDescriptor *window = &groups->window;
  const uint32_t aligned[] = {groups->weights, groups->bias, (uint32_t)groups->sumBytes, input,
                              sums};
  if (!areAligned(aligned, LENGTH(aligned))) return MISALIGNED;
  const uint64_t vectorBytes = times((uint64_t)window->outputChannels, sizeof(float));
  if (groups->sumBytes < 0) return WRONG_SIZE;
  if (rows == 0) return NULL;
  const uint64_t panels =
      ((uint64_t)window->outputChannels + PANEL_CHANNELS - 1) / PANEL_CHANNELS;
  const uint64_t panelBytes =
      times(count(window->kernelHeight, window->kernelWidth,
                  window->inputChannels / window->groups),
            PANEL_CHANNELS * sizeof(float));
  const uint64_t positions = times((uint64_t)window->outputHeight, (uint64_t)window->outputWidth);
  const uint64_t images = plus(plus(firstRow, rows - 1) / positions, 1);
  const uint64_t imageBytes =
      times(count(window->inputHeight, window->inputWidth, window->inputChannels), sizeof(float));
  return isInside(memory, input, times(images, imageBytes)) &&
                 isInside(memory, groups->weights, times(panels, panelBytes)) &&
                 isInside(memory, groups->bias, vectorBytes) &&
                 isInside(memory, sums, rowsBytes(rows, (uint64_t)groups->sumBytes, vectorBytes))
             ? NULL
             : OUTSIDE;
}

const char *checkProduct(const Memory *memory, uint32_t descriptor, uint32_t a, uint32_t b,
                         uint32_t c, uint32_t rows, uint32_t depth, uint32_t start, ProductDescriptor *product) {
  const char *wrong = copyFrom(memory, descriptor, product, sizeof *product);
  if (wrong) return wrong;
  const uint32_t addresses[] = {a, b, c, start};
  if (!areAligned(addresses, LENGTH(addresses))) return MISALIGNED;
  if (product->panels < 1 || product->rowBytes < 0 || product->panelBytes < 0 ||
      product->sumBytes < 0 || product->rowBytes % 4 || product->panelBytes % 4 ||
      product->sumBytes % 4) {
    return WRONG_SIZE;
  }
  const uint64_t panels = (uint64_t)product->panels;
  const uint64_t vectorBytes = times(panels, PANEL_CHANNELS * sizeof(float));
  const uint64_t panelBytes = times(depth, PANEL_CHANNELS * sizeof(float));
  return isInside(memory, a, rowsBytes(rows, (uint64_t)product->rowBytes, times(depth, 4))) &&
                 isInside(memory, b,
                          rowsBytes(panels, (uint64_t)product->panelBytes, panelBytes)) &&
                 isInside(memory, c, rowsBytes(rows, (uint64_t)product->sumBytes, vectorBytes)) &&
                 isInside(memory, start, vectorBytes)
             ? NULL
             : OUTSIDE;
}

/* A finish descriptor whose thresholds lie in the memory. */
static const char *checkFinishDescriptor(const Memory *memory, uint32_t address,
                                         Float32FinishDescriptor *finish) {
  const char *wrong = copyFrom(memory, address, finish, sizeof *finish);
  if (wrong) return wrong;
  if (finish->channels < 1 || finish->positions < 1 || finish->thresholdStride < 0 ||
      finish->thresholdStride % 4) {
    return WRONG_SIZE;
  }
  if (!isAligned(finish->thresholds)) return MISALIGNED;
  const uint64_t thresholds = rowsBytes((uint64_t)finish->positions,
                                        (uint64_t)finish->thresholdStride,
                                        times((uint64_t)finish->channels, sizeof(float)));
  return isInside(memory, finish->thresholds, thresholds) ? NULL : OUTSIDE;
}

const char *checkFinish(const Memory *memory, uint32_t descriptor, uint32_t sums,
                        uint32_t sumBytes, uint32_t output, uint32_t outputBytes, uint32_t rows,
                        uint32_t position, uint32_t step,
                        Float32FinishDescriptor *finish) {
  const char *wrong = checkFinishDescriptor(memory, descriptor, finish);
  if (wrong) return wrong;
  const uint32_t aligned[] = {sums, sumBytes, output, outputBytes};
  if (!areAligned(aligned, LENGTH(aligned))) return MISALIGNED;
  if (position >= (uint32_t)finish->positions || step > 1) return WRONG_NUMBER;
  const uint64_t bytes = times((uint64_t)finish->channels, sizeof(float));
  return isInside(memory, sums, rowsBytes(rows, sumBytes, bytes)) &&
                 isInside(memory, output, rowsBytes(rows, outputBytes, bytes))
             ? NULL
             : OUTSIDE;
}

/* At most a panel of channels, each below `channels`. */
static const char *checkList(const Memory *memory, uint32_t list, uint32_t number,
                             uint64_t channels, int32_t *listed) {
  if (number > PANEL_CHANNELS) return WRONG_NUMBER;
  const char *wrong = copyFrom(memory, list, listed, number * sizeof *listed);
  if (wrong) return wrong;
  for (uint32_t i = 0; i < number; i++) {
    if (listed[i] < 0 || (uint64_t)listed[i] >= channels) return WRONG_NUMBER;
  }
  return NULL;
}

const char *checkScatter(const Memory *memory, uint32_t descriptor, uint32_t sums, uint32_t output,
                         uint32_t rows, uint32_t list, uint32_t number, uint32_t position,
                         Float32FinishDescriptor *finish, int32_t *listed) {
  const char *wrong = checkFinishDescriptor(memory, descriptor, finish);
  if (wrong) return wrong;
  wrong = checkList(memory, list, number, (uint64_t)finish->channels, listed);
  if (wrong) return wrong;
  if (!isAligned(sums) || !isAligned(output)) return MISALIGNED;
  if (position >= (uint32_t)finish->positions) return WRONG_NUMBER;
  const uint64_t outputs = times(times(rows, (uint64_t)finish->channels), sizeof(float));
  return isInside(memory, sums, times(rows, PANEL_CHANNELS * sizeof(float))) &&
                 isInside(memory, output, outputs)
             ? NULL
             : OUTSIDE;
}

const char *checkCollect(const Memory *memory, uint32_t panel, uint32_t packed, uint32_t depth,
                         uint32_t list, uint32_t number, int32_t *listed) {
  if (!isAligned(panel) || !isAligned(packed)) return MISALIGNED;
  const uint64_t panelBytes = times(depth, PANEL_CHANNELS * sizeof(float));
  if (!isInside(memory, panel, panelBytes) || packed > memory->bytes) return OUTSIDE;
  // Of no depth, every panel lies in the memory.
  const uint64_t panels = panelBytes ? (memory->bytes - packed) / panelBytes : memory->bytes;
  return checkList(memory, list, number, times(panels, PANEL_CHANNELS), listed);
}

const char *checkValues(const Memory *memory, uint32_t values, uint32_t number) {
  if (!isAligned(values)) return MISALIGNED;
  return isInside(memory, values, times(number, sizeof(float))) ? NULL : OUTSIDE;
}

static const char *checkWinograd(const Memory *memory, uint32_t address,
                                 WinogradDescriptor *winograd) {
  const char *wrong = copyFrom(memory, address, winograd, sizeof *winograd);
  if (wrong) return wrong;
  const int32_t positive[] = {
      winograd->inputHeight,  winograd->inputWidth,     winograd->inputChannels,
      winograd->outputHeight, winograd->outputWidth,    winograd->outputChannels,
      winograd->tileRows,     winograd->tileColumns,    winograd->inputPlane,
      winograd->outputPlane,  winograd->weightPlane,
  };
  const uint32_t aligned[] = {
      winograd->weights, winograd->packed, winograd->bias, winograd->zeros,
      (uint32_t)winograd->inputPlane, (uint32_t)winograd->outputPlane,
      (uint32_t)winograd->weightPlane,
  };
  const int32_t outputs = winograd->tileOutputs;
  if (!arePositive(positive, LENGTH(positive)) || (outputs != 2 && outputs != 4) ||
      winograd->padTop < 0 || winograd->padLeft < 0 || winograd->inputChannels % 4 ||
      winograd->outputChannels % PANEL_CHANNELS ||
      (int64_t)winograd->tileRows * outputs >= (int64_t)winograd->outputHeight + outputs ||
      (int64_t)winograd->tileColumns * outputs >= (int64_t)winograd->outputWidth + outputs) {
    return WRONG_SIZE;
  }
  if (!areAligned(aligned, LENGTH(aligned))) return MISALIGNED;
  const uint64_t elements = (uint64_t)(outputs + 2) * (uint64_t)(outputs + 2);
  const uint64_t inputs = (uint64_t)winograd->inputChannels;
  const uint64_t kernels = times(inputs, (uint64_t)winograd->outputChannels);
  const uint64_t bytes = sizeof(float);
  return isInside(memory, winograd->weights,
                  rowsBytes(elements, (uint64_t)winograd->weightPlane, times(kernels, bytes))) &&
                 isInside(memory, winograd->packed, times(times(kernels, 9), bytes)) &&
                 isInside(memory, winograd->bias,
                          times((uint64_t)winograd->outputChannels, bytes)) &&
                 isInside(memory, winograd->zeros, times(inputs, bytes))
             ? NULL
             : OUTSIDE;
}

const char *checkKernels(const Memory *memory, uint32_t descriptor, uint32_t output,
                         uint32_t input, uint32_t number, WinogradDescriptor *winograd) {
  const char *wrong = checkWinograd(memory, descriptor, winograd);
  if (wrong) return wrong;
  return input < (uint32_t)winograd->inputChannels &&
                 plus(output, number) <= (uint64_t)winograd->outputChannels
             ? NULL
             : WRONG_NUMBER;
}

/* Images that hold tiles up to before `end`. */
static uint64_t imagesOfTiles(const WinogradDescriptor *winograd, uint64_t end) {
  const uint64_t tilesPerImage =
      times((uint64_t)winograd->tileRows, (uint64_t)winograd->tileColumns);
  return end == 0 ? 0 : (end - 1) / tilesPerImage + 1;
}

/* All elements of transformed tiles, each in a plane of its own. */
static int areInside(const Memory *memory, uint32_t address, const WinogradDescriptor *winograd,
                     uint32_t tiles, int32_t channels, int32_t plane) {
  const uint64_t size = (uint64_t)winograd->tileOutputs + 2;
  const uint64_t planeBytes = times(times(tiles, (uint64_t)channels), sizeof(float));
  return isInside(memory, address, rowsBytes(size * size, (uint64_t)plane, planeBytes));
}

const char *checkInputTiles(const Memory *memory, uint32_t descriptor, uint32_t input,
                            uint32_t transformed, uint32_t firstTile, uint32_t tiles,
                            WinogradDescriptor *winograd) {
  const char *wrong = checkWinograd(memory, descriptor, winograd);
  if (wrong) return wrong;
  if (!isAligned(input) || !isAligned(transformed)) return MISALIGNED;
  const uint64_t imageBytes =
      times(count(winograd->inputHeight, winograd->inputWidth, winograd->inputChannels), 4);
  const uint64_t images = imagesOfTiles(winograd, plus(firstTile, tiles));
  return isInside(memory, input, times(images, imageBytes)) &&
                 areInside(memory, transformed, winograd, tiles, winograd->inputChannels,
                           winograd->inputPlane)
             ? NULL
             : OUTSIDE;
}

const char *checkOutputTiles(const Memory *memory, uint32_t descriptor, uint32_t finish,
                             uint32_t products, uint32_t output, uint32_t firstTile,
                             uint32_t tiles, WinogradDescriptor *winograd,
                             Float32FinishDescriptor *finishing) {
  const char *wrong = checkWinograd(memory, descriptor, winograd);
  if (!wrong) wrong = checkFinishDescriptor(memory, finish, finishing);
  if (wrong) return wrong;
  if (!isAligned(products) || !isAligned(output)) return MISALIGNED;
  const uint64_t positions =
      times((uint64_t)winograd->outputHeight, (uint64_t)winograd->outputWidth);
  if (finishing->channels != winograd->outputChannels ||
      (uint64_t)finishing->positions != positions) {
    return WRONG_SIZE;
  }
  const uint64_t imageBytes =
      times(count(winograd->outputHeight, winograd->outputWidth, winograd->outputChannels), 4);
  const uint64_t images = imagesOfTiles(winograd, plus(firstTile, tiles));
  return isInside(memory, output, times(images, imageBytes)) &&
                 areInside(memory, products, winograd, tiles, winograd->outputChannels,
                           winograd->outputPlane)
             ? NULL
             : OUTSIDE;
}

/* So that a call ends before long. */
enum { MOST_DRAWS = 1 << 24 };

/* Bytes of a bitmap, in words of 64 bits. */
static uint64_t bitmapBytes(uint64_t bits) { return plus(bits, 63) / 64 * sizeof(uint64_t); }

static int isAlignedWord(const Memory *memory, uint32_t address) {
  return (uintptr_t)(memory->start + address) % sizeof(uint64_t) == 0;
}

static int areApart(uint64_t one, uint64_t oneBytes, uint64_t other, uint64_t otherBytes) {
  return plus(one, oneBytes) <= other || plus(other, otherBytes) <= one;
}

const char *checkDraws(const Memory *memory, uint32_t first, uint32_t number, uint32_t bound,
                       uint32_t bits, uint32_t fresh, uint32_t bins) {
  if (bound < 1 || number > MOST_DRAWS || plus(first, number) > (uint64_t)UINT32_MAX + 1) {
    return WRONG_NUMBER;
  }
  if (!isAlignedWord(memory, bits) || !isAligned(fresh) || !isAligned(bins)) return MISALIGNED;
  const uint64_t bitsBytes = bitmapBytes(bound);
  const uint64_t freshBytes = fresh ? times(number, sizeof(uint32_t)) : 0;
  const uint64_t binBytes = (uint64_t)CELL_BINS * BIN_STRIDE * sizeof(uint32_t);
  if (!isInside(memory, bits, bitsBytes) || !isInside(memory, fresh, freshBytes) ||
      !isInside(memory, bins, binBytes)) {
    return OUTSIDE;
  }
  // Cells in a bin are below the bound as long as nothing else is written there.
  return areApart(bins, binBytes, bits, bitsBytes) && areApart(bins, binBytes, fresh, freshBytes)
             ? NULL
             : OVERLAPPING;
}

const char *checkKinds(const Memory *memory, uint32_t cells, uint32_t number, uint32_t bound,
                       uint32_t bits) {
  if (!isAligned(cells) || !isAlignedWord(memory, bits)) return MISALIGNED;
  const uint64_t listBytes = times(number, sizeof(uint32_t));
  if (!isInside(memory, cells, listBytes) || !isInside(memory, bits, bitmapBytes(bound))) {
    return OUTSIDE;
  }
  // Marks must not change what is looked through here.
  if (!areApart(cells, listBytes, bits, bitmapBytes(bound))) return OVERLAPPING;
  const uint32_t *listed = (const uint32_t *)(memory->start + cells);
  for (uint32_t i = 0; i < number; i++) {
    if (listed[i] >= bound) return WRONG_NUMBER;
  }
  return NULL;
}

const char *checkArrangement(const Memory *memory, uint32_t source, uint32_t target, uint32_t rows,
                             uint32_t mux, uint32_t wordBits, uint32_t usedBits) {
  if (mux < 1 || (mux & (mux - 1)) || wordBits < 1 || usedBits < 1 || usedBits > wordBits) {
    return WRONG_SIZE;
  }
  if (!isAlignedWord(memory, source)) return MISALIGNED;
  const uint64_t words = times(rows, mux);
  const uint64_t bytes = plus(times(words, usedBits), 7) / 8;
  const Region regions[] = {{target, bytes}, {source, bitmapBytes(times(words, wordBits))}};
  for (size_t i = 0; i < LENGTH(regions); i++) {
    if (!isInside(memory, regions[i].address, regions[i].bytes)) return OUTSIDE;
  }
  return areDisjoint(regions, 1, LENGTH(regions)) ? NULL : OVERLAPPING;
}

const char *checkWords(const Memory *memory, uint32_t words, uint32_t number) {
  if (!isAlignedWord(memory, words)) return MISALIGNED;
  return isInside(memory, words, times(number, sizeof(uint64_t))) ? NULL : OUTSIDE;
}
