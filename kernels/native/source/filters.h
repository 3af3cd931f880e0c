/*
 * Accumulators of int8 convolutions with a filter for each channel: lanes are channels. Included by lanes.h. Taps on padding
 * add nothing; all of it is modulo 2^32.
 */
typedef uint32_t SumsOfLane __attribute__((vector_size(LANE_BYTES)));
typedef int32_t IntsOfLane __attribute__((vector_size(LANE_BYTES)));

enum {
  FILTER_VECTORS = 4,
  FILTER_CHANNELS = LANE_BYTES / 4,
  /* Vectors of 16 bytes gain nothing: without a product of 32 bits they are left to the compiler. */
  HAS_FILTER_VECTORS = LANE_BYTES > 16
};

/* A layer, and the taps of a window that lie inside the image. */
typedef struct {
  const WindowDescriptor *window;
  const int8_t *weights;
  const int32_t *bias;
  /* NULL: all of them are zero. */
  const int32_t *zeroPoints;
  int32_t inputZeroPoint;
  const uint8_t *image;
  int64_t top;
  int64_t left;
  int32_t firstY, endY;
  int32_t firstX, endX;
} Filters;

/* `vectors` vectors of channels from `channel` on, of one output position. */
static inline __attribute__((always_inline)) void addFilterVectors(const Filters *filters,
                                                                   size_t channel,
                                                                   uint32_t *sums,
                                                                   const size_t vectors) {
  const size_t channels = (size_t)filters->window->outputChannels;
  SumsOfLane sum[FILTER_VECTORS];
  UNROLLED for (size_t v = 0; v < vectors; v++) {
    memcpy(&sum[v], filters->bias + channel + v * FILTER_CHANNELS, sizeof sum[v]);
  }
  for (int32_t ky = filters->firstY; ky < filters->endY; ky++) {
    const size_t y = (size_t)(filters->top + (int64_t)ky * filters->window->dilationY);
    for (int32_t kx = filters->firstX; kx < filters->endX; kx++) {
      const size_t x = (size_t)(filters->left + (int64_t)kx * filters->window->dilationX);
      const size_t pixel = y * (size_t)filters->window->inputWidth + x;
      const size_t tap = (size_t)ky * (size_t)filters->window->kernelWidth + (size_t)kx;
      UNROLLED for (size_t v = 0; v < vectors; v++) {
        const size_t first = channel + v * FILTER_CHANNELS;
        const uint8_t *restrict stored = filters->image + pixel * channels + first;
        const int8_t *restrict narrow = filters->weights + tap * channels + first;
        int32_t wideStored[FILTER_CHANNELS], wideWeights[FILTER_CHANNELS];
        for (size_t c = 0; c < FILTER_CHANNELS; c++) wideStored[c] = stored[c];
        for (size_t c = 0; c < FILTER_CHANNELS; c++) wideWeights[c] = narrow[c];
        IntsOfLane value, weight;
        memcpy(&value, wideStored, sizeof value);
        memcpy(&weight, wideWeights, sizeof weight);
        value -= filters->inputZeroPoint;
        if (filters->zeroPoints) {
          IntsOfLane zeroPoints;
          memcpy(&zeroPoints, filters->zeroPoints + first, sizeof zeroPoints);
          weight -= zeroPoints;
        }
        sum[v] += (SumsOfLane)(value * weight);
      }
    }
  }
  UNROLLED for (size_t v = 0; v < vectors; v++) {
    memcpy(sums + channel + v * FILTER_CHANNELS, &sum[v], sizeof sum[v]);
  }
}

/* The channels from `channel` on. */
static void addFilterRest(const Filters *filters, size_t channel, uint32_t *restrict sums) {
  const size_t channels = (size_t)filters->window->outputChannels;
  const int16_t inputZeroPoint = (int16_t)filters->inputZeroPoint;
  const int32_t *zeroPoints = filters->zeroPoints;
  for (size_t c = channel; c < channels; c++) sums[c] = (uint32_t)filters->bias[c];
  for (int32_t ky = filters->firstY; ky < filters->endY; ky++) {
    const size_t y = (size_t)(filters->top + (int64_t)ky * filters->window->dilationY);
    for (int32_t kx = filters->firstX; kx < filters->endX; kx++) {
      const size_t x = (size_t)(filters->left + (int64_t)kx * filters->window->dilationX);
      const uint8_t *restrict pixel =
          filters->image + (y * (size_t)filters->window->inputWidth + x) * channels;
      const int8_t *restrict tap =
          filters->weights +
          ((size_t)ky * (size_t)filters->window->kernelWidth + (size_t)kx) * channels;
      if (zeroPoints) {
        for (size_t c = channel; c < channels; c++) {
          const uint32_t weight = (uint32_t)tap[c] - (uint32_t)zeroPoints[c];
          sums[c] += (uint32_t)(pixel[c] - inputZeroPoint) * weight;
        }
      } else {
        for (size_t c = channel; c < channels; c++) {
          sums[c] += (uint32_t)((int32_t)(pixel[c] - inputZeroPoint) * tap[c]);
        }
      }
    }
  }
}

/* The first and one past the last tap of an axis that lie inside, of a window that starts at `start`. */
static inline void tapsInside(int64_t start, int32_t kernel, int32_t dilation, int32_t size,
                              int32_t *first, int32_t *end) {
  int64_t before = start < 0 ? (-start + dilation - 1) / dilation : 0;
  int64_t after = start < size ? (size - start + dilation - 1) / dilation : 0;
  if (after > kernel) after = kernel;
  if (before > after) before = after;
  *first = (int32_t)before;
  *end = (int32_t)after;
}

static void accumulateDepthwise(const Int8Descriptor *descriptor, const uint8_t *memory,
                                const uint8_t *input, int32_t *accumulators, size_t firstRow,
                                size_t rows) {
  const WindowDescriptor *window = &descriptor->window;
  const size_t channels = (size_t)window->outputChannels;
  const size_t positions = (size_t)window->outputHeight * (size_t)window->outputWidth;
  const size_t imageBytes =
      (size_t)window->inputHeight * (size_t)window->inputWidth * channels;
  Filters filters = {
      .window = window,
      .weights = (const int8_t *)(memory + descriptor->weights),
      .bias = (const int32_t *)(memory + descriptor->bias),
      .zeroPoints = descriptor->weightZeroPoints
                        ? (const int32_t *)(memory + descriptor->weightZeroPoints)
                        : NULL,
      .inputZeroPoint = descriptor->inputZeroPoint,
  };
  for (size_t row = 0; row < rows; row++) {
    const size_t position = (firstRow + row) % positions;
    filters.image = input + (firstRow + row) / positions * imageBytes;
    filters.top =
        (int64_t)(position / (size_t)window->outputWidth) * window->strideY - window->padTop;
    filters.left =
        (int64_t)(position % (size_t)window->outputWidth) * window->strideX - window->padLeft;
    tapsInside(filters.top, window->kernelHeight, window->dilationY, window->inputHeight,
               &filters.firstY, &filters.endY);
    tapsInside(filters.left, window->kernelWidth, window->dilationX, window->inputWidth,
               &filters.firstX, &filters.endX);
    uint32_t *sums = (uint32_t *)accumulators + row * (size_t)descriptor->rowStride;
    size_t channel = 0;
    while (HAS_FILTER_VECTORS && channel + FILTER_CHANNELS <= channels) {
      if (channel + FILTER_VECTORS * FILTER_CHANNELS <= channels) {
        addFilterVectors(&filters, channel, sums, FILTER_VECTORS);
        channel += FILTER_VECTORS * FILTER_CHANNELS;
      } else {
        addFilterVectors(&filters, channel, sums, 1);
        channel += FILTER_CHANNELS;
      }
    }
    if (channel < channels) addFilterRest(&filters, channel, sums);
  }
}
