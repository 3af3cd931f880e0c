/*
 * Sums of float32 convolutions in groups of few output channels, a filter for each channel included: lanes are output
 * channels. Included by lanes.h. Each sum starts at its bias and adds products, rounded one by one, for ky, then kx, then
 * the input channel of the group, ascending; padding is +0.
 */

/* Whether four neighbouring channels read four neighbouring inputs, all the same one, or any. */
typedef enum { NEIGHBOURS, SAME, ANY } Inputs;

/* Output channels of one pass over a window: four vectors of sums stay in registers. */
enum {
  PASS_VECTORS = 4,
  LANE_CHANNELS = LANE_BYTES / 4,
  PASS_CHANNELS = PASS_VECTORS * LANE_CHANNELS,
  PANEL_VECTORS = PANEL_CHANNELS / LANE_CHANNELS,
  PANEL_FOURS = PANEL_CHANNELS / 4
};

/* What the channels of one pass share. */
typedef struct {
  const WindowDescriptor *window;
  /* Of the first of its channels. */
  const float *weights;
  const float *bias;
  size_t groupInputs;
  /* From one panel of 16 output channels to the next. */
  size_t panelValues;
  /* From one tap to the next, and from one line of taps to the next. */
  size_t tapStep;
  size_t lineStep;
  /* The first input channel of each output channel, of up to a panel. */
  size_t firstInputs[PANEL_CHANNELS];
} GroupsPass;

/* A window: whole, or partly padding. */
typedef struct {
  const float *image;
  int64_t top;
  int64_t left;
  int whole;
} Place;

/* The pixel that a tap reads; NULL: padding. */
static inline __attribute__((always_inline)) const float *pixelOf(const GroupsPass *pass,
                                                                  const Place *place, int32_t ky,
                                                                  int32_t kx, const int whole) {
  const WindowDescriptor *window = pass->window;
  if (whole) {
    const size_t first = (size_t)place->top * (size_t)window->inputWidth + (size_t)place->left;
    return place->image + first * (size_t)window->inputChannels + (size_t)ky * pass->lineStep +
           (size_t)kx * pass->tapStep;
  }
  const int64_t y = place->top + (int64_t)ky * window->dilationY;
  const int64_t x = place->left + (int64_t)kx * window->dilationX;
  if (y < 0 || y >= window->inputHeight || x < 0 || x >= window->inputWidth) return NULL;
  return place->image + ((size_t)y * (size_t)window->inputWidth + (size_t)x) *
                            (size_t)window->inputChannels;
}

/* `vectors` vectors of channels, each channel with a filter of its own. */
static inline __attribute__((always_inline)) void addFilters(const GroupsPass *pass,
                                                             const Place *place, float *to,
                                                             const size_t vectors,
                                                             const int whole) {
  VectorOfLane sums[PASS_VECTORS];
  UNROLLED for (size_t v = 0; v < vectors; v++) {
    sums[v] = loadOfLane(pass->bias + v * LANE_CHANNELS);
  }
  const float *weights = pass->weights;
  for (int32_t ky = 0; ky < pass->window->kernelHeight; ky++) {
    for (int32_t kx = 0; kx < pass->window->kernelWidth; kx++) {
      const float *pixel = pixelOf(pass, place, ky, kx, whole);
      UNROLLED for (size_t v = 0; v < vectors; v++) {
        const size_t channel = v * LANE_CHANNELS;
        const VectorOfLane tap = loadOfLane(weights + channel / PANEL_CHANNELS * pass->panelValues +
                                            channel % PANEL_CHANNELS);
        const VectorOfLane value = whole || pixel
                                       ? loadOfLane(pixel + pass->firstInputs[0] + channel)
                                       : (VectorOfLane){0};
        sums[v] += value * tap;
      }
      weights += PANEL_CHANNELS;
    }
  }
  UNROLLED for (size_t v = 0; v < vectors; v++) storeOfLane(to + v * LANE_CHANNELS, sums[v]);
}

/* `fours` times four channels of one panel. */
static inline __attribute__((always_inline)) void addFours(const GroupsPass *pass,
                                                           const Place *place, float *to,
                                                           const size_t fours,
                                                           const Inputs inputs, const int whole) {
  size_t first[PANEL_CHANNELS];
  memcpy(first, pass->firstInputs, sizeof first);
  const size_t groupInputs = pass->groupInputs;
  VectorOfFour sums[PANEL_FOURS];
  UNROLLED for (size_t v = 0; v < fours; v++) sums[v] = loadOfFour(pass->bias + 4 * v);
  const float *weights = pass->weights;
  for (int32_t ky = 0; ky < pass->window->kernelHeight; ky++) {
    for (int32_t kx = 0; kx < pass->window->kernelWidth; kx++) {
      const float *pixel = pixelOf(pass, place, ky, kx, whole);
      for (size_t i = 0; i < groupInputs; i++) {
        UNROLLED for (size_t v = 0; v < fours; v++) {
          VectorOfFour value = {0};
          if (!whole && !pixel) {
            // Padding: the product is made, as ∞ · 0 is NaN.
          } else if (inputs == NEIGHBOURS) {
            value = loadOfFour(pixel + first[4 * v]);
          } else if (inputs == SAME) {
            const float one = pixel[first[4 * v] + i];
            value = (VectorOfFour){one, one, one, one};
          } else {
            value = (VectorOfFour){pixel[first[4 * v] + i], pixel[first[4 * v + 1] + i],
                                   pixel[first[4 * v + 2] + i], pixel[first[4 * v + 3] + i]};
          }
          sums[v] += value * loadOfFour(weights + 4 * v);
        }
        weights += PANEL_CHANNELS;
      }
    }
  }
  UNROLLED for (size_t v = 0; v < fours; v++) storeOfFour(to + 4 * v, sums[v]);
}

/* One channel. */
static void addOne(const GroupsPass *pass, const Place *place, float *to) {
  const float *weights = pass->weights;
  float sum = *pass->bias;
  for (int32_t ky = 0; ky < pass->window->kernelHeight; ky++) {
    for (int32_t kx = 0; kx < pass->window->kernelWidth; kx++) {
      const float *pixel = pixelOf(pass, place, ky, kx, 0);
      for (size_t i = 0; i < pass->groupInputs; i++) {
        const float product = (pixel ? pixel[pass->firstInputs[0] + i] : 0.0f) * *weights;
        sum += product;
        weights += PANEL_CHANNELS;
      }
    }
  }
  *to = sum;
}

/* The most channels of one pass that `left` channels, of which the first is one of a panel, make. */
static inline size_t passChannels(size_t left, size_t column, Inputs inputs) {
  if (inputs == NEIGHBOURS && column == 0 && left >= PASS_CHANNELS) return PASS_CHANNELS;
  if (column == 0 && left >= PANEL_CHANNELS) return PANEL_CHANNELS;
  return left >= 4 ? 4 : 1;
}

static inline __attribute__((always_inline)) void addPass(const GroupsPass *pass,
                                                          const Place *place, float *to,
                                                          size_t channels, Inputs inputs,
                                                          const int whole) {
  if (channels == 1) {
    addOne(pass, place, to);
  } else if (inputs == NEIGHBOURS) {
    if (channels == PASS_CHANNELS) addFilters(pass, place, to, PASS_VECTORS, whole);
    else if (channels == PANEL_CHANNELS) addFilters(pass, place, to, PANEL_VECTORS, whole);
    else addFours(pass, place, to, 1, NEIGHBOURS, whole);
  } else if (inputs == SAME) {
    if (channels == PANEL_CHANNELS) addFours(pass, place, to, PANEL_FOURS, SAME, whole);
    else addFours(pass, place, to, 1, SAME, whole);
  } else {
    if (channels == PANEL_CHANNELS) addFours(pass, place, to, PANEL_FOURS, ANY, whole);
    else addFours(pass, place, to, 1, ANY, whole);
  }
}

/* Whether all taps along an axis that starts at `start` lie inside. */
static inline int isWhole(int64_t start, int32_t kernel, int32_t dilation, int32_t size) {
  return start >= 0 && start + (int64_t)(kernel - 1) * dilation < size;
}

/* One pass over the windows of `rows` output positions. */
static void addRows(const GroupsPass *pass, const float *input, uint8_t *sums, size_t sumBytes,
                    size_t firstRow, size_t rows, size_t channels, Inputs inputs) {
  const WindowDescriptor *window = pass->window;
  const size_t width = (size_t)window->outputWidth;
  const size_t height = (size_t)window->outputHeight;
  const size_t imageValues = (size_t)window->inputHeight * (size_t)window->inputWidth *
                             (size_t)window->inputChannels;
  size_t y = firstRow / width % height;
  size_t x = firstRow % width;
  Place place = {.image = input + firstRow / width / height * imageValues};
  for (size_t row = 0; row < rows; row++) {
    place.top = (int64_t)y * window->strideY - window->padTop;
    place.left = (int64_t)x * window->strideX - window->padLeft;
    float *to = (float *)(sums + row * sumBytes);
    if (isWhole(place.top, window->kernelHeight, window->dilationY, window->inputHeight) &&
        isWhole(place.left, window->kernelWidth, window->dilationX, window->inputWidth)) {
      addPass(pass, &place, to, channels, inputs, 1);
    } else {
      addPass(pass, &place, to, channels, inputs, 0);
    }
    if (++x < width) continue;
    x = 0;
    if (++y < height) continue;
    y = 0;
    place.image += imageValues;
  }
}

static void addFloat32Groups(const Float32GroupsDescriptor *groups, const uint8_t *memory,
                             const float *input, uint8_t *sums, size_t firstRow, size_t rows) {
  const WindowDescriptor *window = &groups->window;
  const size_t channels = (size_t)window->outputChannels;
  const size_t groupOutputs = channels / (size_t)window->groups;
  const size_t groupInputs = (size_t)window->inputChannels / (size_t)window->groups;
  const Inputs inputs = groupOutputs % 4 == 0                   ? SAME
                        : groupOutputs == 1 && groupInputs == 1 ? NEIGHBOURS
                                                                : ANY;
  GroupsPass pass = {.window = window, .groupInputs = groupInputs};
  pass.panelValues = PANEL_CHANNELS * groupInputs * (size_t)window->kernelHeight *
                     (size_t)window->kernelWidth;
  pass.tapStep = (size_t)window->dilationX * (size_t)window->inputChannels;
  pass.lineStep =
      (size_t)window->dilationY * (size_t)window->inputWidth * (size_t)window->inputChannels;
  size_t count;
  for (size_t channel = 0; channel < channels; channel += count) {
    const size_t column = channel % PANEL_CHANNELS;
    count = passChannels(channels - channel, column, inputs);
    pass.weights = (const float *)(memory + groups->weights) +
                   channel / PANEL_CHANNELS * pass.panelValues + column;
    pass.bias = (const float *)(memory + groups->bias) + channel;
    for (size_t i = 0; i < PANEL_CHANNELS; i++) {
      pass.firstInputs[i] = (channel + i) / groupOutputs * groupInputs;
    }
    addRows(&pass, input, sums + channel * sizeof(float), (size_t)groups->sumBytes, firstRow, rows,
            count, inputs);
  }
}
