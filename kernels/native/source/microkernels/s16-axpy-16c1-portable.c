#include "../microkernels.h"

void addProductsPortable(size_t channels, const uint8_t *memory, const Product *products,
                         size_t count, size_t offset, int32_t *sums) {
  for (size_t strip = 0; strip < channels; strip += PANEL_CHANNELS) {
    uint32_t added[PANEL_CHANNELS] = {0};
    for (size_t i = 0; i < count; i++) {
      const int16_t *weights =
          (const int16_t *)(memory + products[i].weights + offset) + strip;
      const int32_t difference = products[i].difference;
      for (size_t c = 0; c < PANEL_CHANNELS; c++) added[c] += (uint32_t)(weights[c] * difference);
    }
    for (size_t c = 0; c < PANEL_CHANNELS; c++) {
      sums[strip + c] = (int32_t)((uint32_t)sums[strip + c] + added[c]);
    }
  }
}
