#include "float32.h"

#include "gather.h"

static inline size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

void gatherFloat32(const GatherDescriptor *gather, const uint8_t *input, uint8_t *block,
                   size_t firstRow, size_t rows, size_t group) {
  const WindowDescriptor window = {
      .inputHeight = gather->inputHeight,
      .inputWidth = gather->inputWidth,
      .inputChannels = gather->inputChannels,
      .outputHeight = gather->outputHeight,
      .outputWidth = gather->outputWidth,
      .kernelHeight = gather->kernelHeight,
      .kernelWidth = gather->kernelWidth,
      .strideY = gather->strideY,
      .strideX = gather->strideX,
      .padTop = gather->padTop,
      .padLeft = gather->padLeft,
      .dilationY = gather->dilationY,
      .dilationX = gather->dilationX,
      .groups = gather->inputChannels / gather->groupChannels,
  };
  const size_t positions = (size_t)gather->outputHeight * (size_t)gather->outputWidth;
  const size_t imageBytes = (size_t)gather->inputHeight * (size_t)gather->inputWidth *
                            (size_t)gather->inputChannels * sizeof(float);
  for (size_t row = 0; row < rows; row++) {
    const size_t image = (firstRow + row) / positions;
    gatherWindow(&window, sizeof(float), 0, input + image * imageBytes,
                 (firstRow + row) % positions, group, block + row * (size_t)gather->rowStride);
  }
}

void multiplyFloat32Panels(const InstructionSet *set, const ProductDescriptor *product,
                           const uint8_t *a, const uint8_t *b, uint8_t *c, size_t rows,
                           size_t depth, const uint8_t *start) {
  const size_t aStride = (size_t)product->rowBytes / sizeof(float);
  const size_t cStride = (size_t)product->sumBytes / sizeof(float);
  const size_t panelStride = (size_t)product->panelBytes / sizeof(float);
  const size_t panels = (size_t)product->panels;
  for (size_t panel = 0; panel < panels; panel += set->floatPanels) {
    const size_t count = smaller(set->floatPanels, panels - panel);
    const size_t channel = panel * PANEL_CHANNELS;
    for (size_t row = 0; row < rows; row += set->floatRows) {
      set->multiplyFloat32(smaller(set->floatRows, rows - row), count, depth,
                           (const float *)a + row * aStride, aStride,
                           (const float *)b + panel * panelStride, panelStride,
                           (float *)c + row * cStride + channel, cStride,
                           start ? (const float *)start + channel : NULL);
    }
  }
}

void scatterFloat32Channels(const Float32FinishDescriptor *finish, const uint8_t *memory,
                            const float *sums, float *output, size_t rows, const int32_t *list,
                            size_t count, size_t position) {
  for (size_t row = 0; row < rows; row++) {
    const float *thresholds = (const float *)(memory + finish->thresholds +
                                              position * (size_t)finish->thresholdStride);
    for (size_t i = 0; i < count; i++) {
      const size_t channel = (size_t)list[i];
      float sum = sums[i];
      if (finish->clip == 1) sum = sum <= thresholds[channel] ? sum : 0.0f;
      if (finish->clip == 2) sum = sum > thresholds[channel] ? thresholds[channel] : sum;
      output[channel] = finish->relu && sum <= 0.0f ? 0.0f : sum;
    }
    sums += PANEL_CHANNELS;
    output += finish->channels;
    if (++position == (size_t)finish->positions) position = 0;
  }
}

void collectFloat32Channels(float *panel, const float *packed, size_t depth, const int32_t *list,
                            size_t count) {
  for (size_t i = 0; i < count; i++) {
    const size_t channel = (size_t)list[i];
    const float *from = packed + channel / PANEL_CHANNELS * depth * PANEL_CHANNELS +
                        channel % PANEL_CHANNELS;
    for (size_t k = 0; k < depth; k++) {
      panel[k * PANEL_CHANNELS + i] = from[k * PANEL_CHANNELS];
    }
  }
}

/* One line of elements from a line of (G·g times its scale), of F(2×2,3×3) and F(4×4,3×3). */
static void storeLine4(uint8_t *to, size_t plane, double g0, double g1, double g2, double scale) {
  *(float *)to = (float)(g0 / scale);
  *(float *)(to + plane) = (float)((g0 + g1 + g2) / (2 * scale));
  *(float *)(to + 2 * plane) = (float)((g0 - g1 + g2) / (2 * scale));
  *(float *)(to + 3 * plane) = (float)(g2 / scale);
}

static void storeLine6(uint8_t *to, size_t plane, double g0, double g1, double g2, double scale) {
  *(float *)to = (float)(g0 / (4 * scale));
  *(float *)(to + plane) = (float)((-g0 - g1 - g2) / (6 * scale));
  *(float *)(to + 2 * plane) = (float)((-g0 + g1 - g2) / (6 * scale));
  *(float *)(to + 3 * plane) = (float)((g0 + 2 * g1 + 4 * g2) / (24 * scale));
  *(float *)(to + 4 * plane) = (float)((g0 - 2 * g1 + 4 * g2) / (24 * scale));
  *(float *)(to + 5 * plane) = (float)(g2 / scale);
}

static void transformKernel(const WinogradDescriptor *winograd, uint8_t *memory, size_t output,
                            size_t input) {
  const size_t inputs = (size_t)winograd->inputChannels;
  const size_t plane = (size_t)winograd->weightPlane;
  const size_t panel = output / PANEL_CHANNELS * inputs;
  const size_t column = output % PANEL_CHANNELS;
  const float *packed =
      (const float *)(memory + winograd->packed) + (panel * 9 + input) * PANEL_CHANNELS + column;
  uint8_t *to = memory + winograd->weights +
                ((panel + input) * PANEL_CHANNELS + column) * sizeof(float);
  double g[3][3];
  for (size_t tap = 0; tap < 9; tap++) g[tap / 3][tap % 3] = packed[tap * inputs * PANEL_CHANNELS];
  double even[3], odd[3];
  if (winograd->tileOutputs == 2) {
    for (size_t x = 0; x < 3; x++) {
      even[x] = g[0][x] + g[1][x] + g[2][x];
      odd[x] = g[0][x] - g[1][x] + g[2][x];
    }
    storeLine4(to, plane, g[0][0], g[0][1], g[0][2], 1);
    storeLine4(to + 4 * plane, plane, even[0], even[1], even[2], 2);
    storeLine4(to + 8 * plane, plane, odd[0], odd[1], odd[2], 2);
    storeLine4(to + 12 * plane, plane, g[2][0], g[2][1], g[2][2], 1);
    return;
  }
  double minus[3], plus[3];
  for (size_t x = 0; x < 3; x++) {
    minus[x] = -g[0][x] - g[1][x] - g[2][x];
    plus[x] = -g[0][x] + g[1][x] - g[2][x];
    even[x] = g[0][x] + 2 * g[1][x] + 4 * g[2][x];
    odd[x] = g[0][x] - 2 * g[1][x] + 4 * g[2][x];
  }
  storeLine6(to, plane, g[0][0], g[0][1], g[0][2], 4);
  storeLine6(to + 6 * plane, plane, minus[0], minus[1], minus[2], 6);
  storeLine6(to + 12 * plane, plane, plus[0], plus[1], plus[2], 6);
  storeLine6(to + 18 * plane, plane, even[0], even[1], even[2], 24);
  storeLine6(to + 24 * plane, plane, odd[0], odd[1], odd[2], 24);
  storeLine6(to + 30 * plane, plane, g[2][0], g[2][1], g[2][2], 1);
}

void transformFloat32Kernels(const WinogradDescriptor *winograd, uint8_t *memory, size_t output,
                             size_t input, size_t count) {
  for (size_t i = 0; i < count; i++) transformKernel(winograd, memory, output + i, input);
}
