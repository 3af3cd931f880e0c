/*
 * A run that differs from a recorded one in few values, from layer to layer. Part of lanes.h; kernels/assembly/delta.ts
 * has the same in WebAssembly, and the same order of memory.
 */

/* Channels whose sums are kept at once; more than 256 bytes of a row of weights are then read in one go. */
enum { DELTA_STRIP = 256 };

typedef struct {
  const DeltaConvolutionDescriptor *of;
  uint8_t *memory;
  const DeltaTensors *tensors;
  Requantization how;
  AddProducts *addProducts;
  int32_t *starts;
  Product *products;
  int32_t *differences;
  uint8_t *usedBlocks;
} DeltaRun;

/* Adds Σ Δw·(x' − zero point) to `differences`. */
static void addPatches(const DeltaRun *run) {
  const DeltaConvolutionDescriptor *of = run->of;
  const size_t row = (size_t)of->rowChannels;
  for (size_t i = 0; i < run->tensors->patchCount; i++) {
    const Patch patch = run->tensors->patches[i];
    for (int32_t outputY = 0; outputY < of->outputHeight; outputY++) {
      const int64_t y =
          (int64_t)outputY * of->strideY - of->padTop + (int64_t)patch.ky * of->dilationY;
      if (y < 0 || y >= of->inputHeight) continue;
      for (int32_t outputX = 0; outputX < of->outputWidth; outputX++) {
        const int64_t x =
            (int64_t)outputX * of->strideX - of->padLeft + (int64_t)patch.kx * of->dilationX;
        if (x < 0 || x >= of->inputWidth) continue;
        const size_t pixel = (size_t)y * (size_t)of->inputWidth + (size_t)x;
        const size_t place = pixel * (size_t)of->inputChannels + (size_t)patch.input;
        const uint32_t value = (uint32_t)run->tensors->input[place] - (uint32_t)of->inputZeroPoint;
        const uint32_t difference = (uint32_t)patch.difference * value;
        if (difference == 0) continue;
        const size_t position =
            (size_t)outputY * (size_t)of->outputWidth + (size_t)outputX;
        int32_t *sum = run->differences + position * row + (size_t)patch.output;
        *sum = (int32_t)((uint32_t)*sum + difference);
        run->usedBlocks[position * (row / PANEL_CHANNELS) +
                        (size_t)patch.output / PANEL_CHANNELS] = 1;
      }
    }
  }
}

/* Counts the products of position p in `starts[p + 1]`, or stores them from `starts[p]` on, which grows. */
static inline __attribute__((always_inline)) void visitTaps(const DeltaRun *run,
                                                            const int storing) {
  const DeltaConvolutionDescriptor *of = run->of;
  const uint32_t rowBytes = (uint32_t)of->rowChannels * (uint32_t)sizeof(int16_t);
  const uint32_t tapBytes = (uint32_t)of->inputChannels * rowBytes;
  for (size_t i = 0; i < run->tensors->changeCount; i++) {
    const Change change = run->tensors->changes[i];
    const int64_t y = (int64_t)(change.position / of->inputWidth) + of->padTop;
    const int64_t x = (int64_t)(change.position % of->inputWidth) + of->padLeft;
    const uint32_t column = of->weights + (uint32_t)change.channel * rowBytes;
    for (int32_t ky = 0; ky < of->kernelHeight; ky++) {
      const int64_t top = y - (int64_t)ky * of->dilationY;
      if (top < 0 || top % of->strideY || top / of->strideY >= of->outputHeight) continue;
      const size_t line = (size_t)(top / of->strideY) * (size_t)of->outputWidth;
      for (int32_t kx = 0; kx < of->kernelWidth; kx++) {
        const int64_t left = x - (int64_t)kx * of->dilationX;
        if (left < 0 || left % of->strideX || left / of->strideX >= of->outputWidth) continue;
        int32_t *start = run->starts + line + (size_t)(left / of->strideX);
        if (!storing) {
          start[1] += 1;
          continue;
        }
        const uint32_t tap = (uint32_t)(ky * of->kernelWidth + kx);
        run->products[(*start)++] =
            (Product){.weights = column + tap * tapBytes, .difference = change.difference};
      }
    }
  }
}

/* Fills `products`, sorted by output position; `starts[p]` becomes the end of those of position p. */
static void collectProducts(const DeltaRun *run, size_t positions) {
  memset(run->starts, 0, (positions + 1) * sizeof *run->starts);
  visitTaps(run, 0);
  for (size_t position = 0; position < positions; position++) {
    run->starts[position + 1] += run->starts[position];
  }
  visitTaps(run, 1);
}

/* Recomputes `channels` channels, whole blocks of 16, of one position; returns where the next change goes. */
static Change *updateChannels(const DeltaRun *run, size_t position, size_t channel,
                              size_t channels, const Product *products, size_t count,
                              Change *target) {
  const DeltaConvolutionDescriptor *of = run->of;
  const size_t row = (size_t)of->rowChannels;
  int32_t sums[DELTA_STRIP];
  memcpy(sums, run->tensors->accumulators + position * row + channel, channels * sizeof *sums);
  for (size_t first = 0; first < channels; first += PANEL_CHANNELS) {
    const size_t place = position * row + channel + first;
    uint8_t *used = run->usedBlocks + place / PANEL_CHANNELS;
    if (!*used) continue;
    *used = 0;
    int32_t *differences = run->differences + place;
    for (size_t c = 0; c < PANEL_CHANNELS; c++) {
      sums[first + c] = (int32_t)((uint32_t)sums[first + c] + (uint32_t)differences[c]);
    }
    memset(differences, 0, PANEL_CHANNELS * sizeof *differences);
  }
  if (count > 0) {
    run->addProducts(channels, run->memory, products, count, channel * sizeof(int16_t), sums);
  }
  const size_t left = (size_t)of->outputChannels - channel;
  const size_t stored = left < channels ? left : channels;
  uint8_t fresh[DELTA_STRIP];
  finishChannels(&run->how, sums, position, channel, stored, fresh);
  uint8_t *output = run->tensors->output + position * (size_t)of->outputChannels + channel;
  for (size_t first = 0; first < stored; first += PANEL_CHANNELS) {
    const size_t end = stored - first < PANEL_CHANNELS ? stored : first + PANEL_CHANNELS;
    if (memcmp(fresh + first, output + first, end - first) == 0) continue;
    for (size_t c = first; c < end; c++) {
      if (fresh[c] == output[c]) continue;
      *target++ = (Change){.position = (int32_t)position,
                           .channel = (int32_t)(channel + c),
                           .difference = (int32_t)fresh[c] - (int32_t)output[c]};
      output[c] = fresh[c];
    }
  }
  return target;
}

static size_t updateConvolution(const DeltaConvolutionDescriptor *of,
                                const Int8FinishDescriptor *finish, uint8_t *memory,
                                AddProducts *addProducts, const DeltaTensors *tensors) {
  const DeltaRun run = {
      .of = of,
      .memory = memory,
      .tensors = tensors,
      .how = {.multipliers = (const float *)(memory + finish->multipliers),
              .thresholds = (const int32_t *)(memory + finish->thresholds),
              .thresholdStride = (size_t)finish->thresholdStride / sizeof(int32_t),
              .clip = finish->clip,
              .low = (float)(finish->low - finish->zeroPoint),
              .high = (float)(finish->high - finish->zeroPoint),
              .offset = (uint32_t)finish->zeroPoint - (uint32_t)bitsOf(ROUNDING)},
      .addProducts = addProducts,
      .starts = (int32_t *)(memory + of->starts),
      .products = (Product *)(memory + of->products),
      .differences = (int32_t *)(memory + of->differences),
      .usedBlocks = memory + of->usedBlocks,
  };
  const size_t positions = (size_t)of->outputHeight * (size_t)of->outputWidth;
  const size_t row = (size_t)of->rowChannels;
  Change *target = tensors->target;
  addPatches(&run);
  if (tensors->changeCount > 0) {
    collectProducts(&run, positions);
    size_t begin = 0;
    for (size_t position = 0; position < positions; position++) {
      const size_t end = (size_t)run.starts[position];
      for (size_t channel = 0; end > begin && channel < row; channel += DELTA_STRIP) {
        const size_t channels = row - channel < DELTA_STRIP ? row - channel : DELTA_STRIP;
        target = updateChannels(&run, position, channel, channels, run.products + begin,
                                end - begin, target);
      }
      begin = end;
    }
  }
  // Blocks that patches alone reach.
  const size_t blocks = tensors->patchCount > 0 ? positions * (row / PANEL_CHANNELS) : 0;
  for (size_t block = 0; block < blocks; block++) {
    if (!run.usedBlocks[block]) continue;
    const size_t first = block * PANEL_CHANNELS;
    target = updateChannels(&run, first / row, first % row, PANEL_CHANNELS, NULL, 0, target);
  }
  return (size_t)(target - tensors->target);
}
