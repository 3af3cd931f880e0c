#ifndef BITCELL_TRANSFORMED_H
#define BITCELL_TRANSFORMED_H

#include "instruction-set.h"

enum {
  /* Products of a pair of channels in a tile of F(4×4, 3×3). */
  TRANSFORMED_ELEMENTS = 36,
  TRANSFORMED_OUTPUTS = 4,
  /* Panels computed together. */
  TRANSFORMED_PANELS = 4,
  /* A block of input channels is a multiple of this. */
  TRANSFORMED_CHANNELS = 64,
  MOST_TRANSFORMED_CHANNELS = 4096,
  MOST_TRANSFORMED_GROUPS = MOST_TRANSFORMED_CHANNELS / (TRANSFORMED_PANELS * PANEL_CHANNELS),
  MOST_TRANSFORMED_TILES = 4096,
};

/* Whether a convolution may be transformed; whether it can be, its descriptor is checked for. */
static inline int isTransformed(const InstructionSet *set, const Int8Descriptor *descriptor) {
  return descriptor->transformedImages > 0 && descriptor->weightZeroPoints == 0 &&
         set->multiplyInt16 != NULL;
}

/* Bytes from one element to the next, of transformed inputs, of the weights of four panels and of their products. */
size_t inputElementBytes(const Int8Descriptor *descriptor);
size_t weightElementBytes(const Int8Descriptor *descriptor);
size_t productElementBytes(const Int8Descriptor *descriptor);

/* Groups of four panels of output channels, and blocks of input channels. */
size_t transformedGroups(const Int8Descriptor *descriptor);
size_t transformedBlocks(const Int8Descriptor *descriptor);

/*
 * A 3×3 convolution by F(4×4, 3×3), for groups of four panels whose weights are proven to leave no sum out of its range. In
 * `unproven`, one byte a group, those that are not, whose outputs are left undefined. The descriptor is checked.
 */
void runTransformed(const InstructionSet *set, const Int8Descriptor *descriptor, uint8_t *memory,
                    const uint8_t *input, uint8_t *output, size_t images, uint8_t *unproven);

#endif
