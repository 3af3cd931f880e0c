/*
 * Sums of float32 convolutions in groups of few output channels, a filter for each channel included: lanes are output
 * channels. Included by lanes.h. Each sum starts at its bias and adds products, rounded one by one, for ky, then kx, then
 * the input channel of the group, ascending; padding is +0.
 */

/* Whether four neighbouring channels read four neighbouring inputs, all the same one, or any. */
typedef enum { NEIGHBOURS, SAME, ANY } Inputs;

/* Output channels of one pass over a window: four vectors of sums stay in registers. */
enum { PASS_VECTORS = 4, LANE_CHANNELS = LANE_BYTES / 4, PASS_CHANNELS = PASS_VECTORS * LANE_CHANNELS };

/* What the channels of one pass share. */
typedef struct {
  const Float32GroupsDescriptor *groups;
  /* Of the first of its channels. */
  const float *weights;
  const float *bias;
  size_t groupInputs;
  /* From one panel of 16 output channels to the next. */
  size_t panelValues;
  /* The first input channel of each output channel, of up to a panel. */
  size_t firstInputs[PANEL_CHANNELS];
} GroupsPass;

/* A pixel that a tap reads; NULL: padding. */
static inline const float *pixelOf(const WindowDescriptor *window, const float *image, int64_t y,
                                   int64_t x) {
  if (y < 0 || y >= window->inputHeight || x < 0 || x >= window->inputWidth) return NULL;
  return image + ((size_t)y * (size_t)window->inputWidth + (size_t)x) *
                     (size_t)window->inputChannels;
}

/* PASS_CHANNELS channels, each with a filter of its own. */
static void addFilters(const GroupsPass *pass, const float *image, int64_t top, int64_t left,
                       float *to) {
  const WindowDescriptor *window = &pass->groups->window;
  VectorOfLane sums[PASS_VECTORS];
  UNROLLED for (size_t v = 0; v < PASS_VECTORS; v++) {
    sums[v] = loadOfLane(pass->bias + v * LANE_CHANNELS);
  }
  const float *weights = pass->weights;
  for (int32_t ky = 0; ky < window->kernelHeight; ky++) {
    for (int32_t kx = 0; kx < window->kernelWidth; kx++) {
      const float *pixel = pixelOf(window, image, top + (int64_t)ky * window->dilationY,
                                   left + (int64_t)kx * window->dilationX);
      UNROLLED for (size_t v = 0; v < PASS_VECTORS; v++) {
        const size_t channel = v * LANE_CHANNELS;
        const VectorOfLane tap = loadOfLane(weights + channel / PANEL_CHANNELS * pass->panelValues +
                                            channel % PANEL_CHANNELS);
        const VectorOfLane value =
            pixel ? loadOfLane(pixel + pass->firstInputs[0] + channel) : (VectorOfLane){0};
        sums[v] += value * tap;
      }
      weights += PANEL_CHANNELS;
    }
  }
  UNROLLED for (size_t v = 0; v < PASS_VECTORS; v++) {
    storeOfLane(to + v * LANE_CHANNELS, sums[v]);
  }
}

/* `fours` times four channels of one panel. */
static inline __attribute__((always_inline)) void addFours(const GroupsPass *pass,
                                                           const float *image, int64_t top,
                                                           int64_t left, float *to,
                                                           const size_t fours,
                                                           const Inputs inputs) {
  const WindowDescriptor *window = &pass->groups->window;
  const size_t *first = pass->firstInputs;
  VectorOfFour sums[PANEL_CHANNELS / 4];
  UNROLLED for (size_t v = 0; v < fours; v++) sums[v] = loadOfFour(pass->bias + 4 * v);
  const float *weights = pass->weights;
  for (int32_t ky = 0; ky < window->kernelHeight; ky++) {
    for (int32_t kx = 0; kx < window->kernelWidth; kx++) {
      const float *pixel = pixelOf(window, image, top + (int64_t)ky * window->dilationY,
                                   left + (int64_t)kx * window->dilationX);
      for (size_t i = 0; i < pass->groupInputs; i++) {
        UNROLLED for (size_t v = 0; v < fours; v++) {
          VectorOfFour value = {0};
          if (pixel && inputs == NEIGHBOURS) {
            value = loadOfFour(pixel + first[4 * v]);
          } else if (pixel && inputs == SAME) {
            const float one = pixel[first[4 * v] + i];
            value = (VectorOfFour){one, one, one, one};
          } else if (pixel) {
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
static void addOne(const GroupsPass *pass, const float *image, int64_t top, int64_t left,
                   float *to) {
  const WindowDescriptor *window = &pass->groups->window;
  const float *weights = pass->weights;
  float sum = *pass->bias;
  for (int32_t ky = 0; ky < window->kernelHeight; ky++) {
    for (int32_t kx = 0; kx < window->kernelWidth; kx++) {
      const float *pixel = pixelOf(window, image, top + (int64_t)ky * window->dilationY,
                                   left + (int64_t)kx * window->dilationX);
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

static void addPass(const GroupsPass *pass, const float *image, int64_t top, int64_t left,
                    float *to, size_t channels, Inputs inputs) {
  if (channels == 1) addOne(pass, image, top, left, to);
  else if (inputs == NEIGHBOURS && channels == PASS_CHANNELS) addFilters(pass, image, top, left, to);
  else if (inputs == NEIGHBOURS && channels == 4) addFours(pass, image, top, left, to, 1, NEIGHBOURS);
  else if (inputs == NEIGHBOURS) addFours(pass, image, top, left, to, 4, NEIGHBOURS);
  else if (inputs == SAME && channels == 4) addFours(pass, image, top, left, to, 1, SAME);
  else if (inputs == SAME) addFours(pass, image, top, left, to, 4, SAME);
  else if (channels == 4) addFours(pass, image, top, left, to, 1, ANY);
  else addFours(pass, image, top, left, to, 4, ANY);
}

static void addFloat32Groups(const Float32GroupsDescriptor *groups, const uint8_t *memory,
                             const float *input, uint8_t *sums, size_t firstRow, size_t rows) {
  const WindowDescriptor *window = &groups->window;
  const size_t channels = (size_t)window->outputChannels;
  const size_t groupOutputs = channels / (size_t)window->groups;
  const size_t groupInputs = (size_t)window->inputChannels / (size_t)window->groups;
  const size_t width = (size_t)window->outputWidth;
  const size_t positions = (size_t)window->outputHeight * width;
  const size_t imageValues = (size_t)window->inputHeight * (size_t)window->inputWidth *
                             (size_t)window->inputChannels;
  const Inputs inputs = groupOutputs % 4 == 0                ? SAME
                        : groupOutputs == 1 && groupInputs == 1 ? NEIGHBOURS
                                                                : ANY;
  GroupsPass pass = {.groups = groups, .groupInputs = groupInputs};
  pass.panelValues = PANEL_CHANNELS * groupInputs * (size_t)window->kernelHeight *
                     (size_t)window->kernelWidth;
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
    for (size_t row = 0; row < rows; row++) {
      const size_t position = (firstRow + row) % positions;
      const float *image = input + (firstRow + row) / positions * imageValues;
      const int64_t top = (int64_t)(position / width) * window->strideY - window->padTop;
      const int64_t left = (int64_t)(position % width) * window->strideX - window->padLeft;
      float *to = (float *)(sums + row * (size_t)groups->sumBytes) + channel;
      addPass(&pass, image, top, left, to, count, inputs);
    }
  }
}
