#ifndef BITCELL_FLOAT32_H
#define BITCELL_FLOAT32_H

#include "instruction-set.h"

/* Windows of `rows` output positions from `firstRow` on, of one group; padding is +0. */
void gatherFloat32(const GatherDescriptor *descriptor, const uint8_t *input, uint8_t *block,
                   size_t firstRow, size_t rows, size_t group);

/* `rows` rows times all panels; sums start at `start`, or where that is NULL at what they hold. */
void multiplyFloat32Panels(const InstructionSet *set, const ProductDescriptor *product,
                           const uint8_t *a, const uint8_t *b, uint8_t *c, size_t rows,
                           size_t depth, const uint8_t *start);

/* Finishes rows of 16 sums and stores them at `count` channels, listed by number, scattered over the outputs. */
void scatterFloat32Channels(const Float32FinishDescriptor *finish, const uint8_t *memory,
                            const float *sums, float *output, size_t rows, const int32_t *list,
                            size_t count, size_t position);

/* Copies `count` channels of packed panels, listed by number, into the columns of one panel. */
void collectFloat32Channels(float *panel, const float *packed, size_t depth, const int32_t *list,
                            size_t count);

/* Transforms the 3×3 kernels of `count` output channels and one input channel: in float64, rounded once. */
void transformFloat32Kernels(const WinogradDescriptor *winograd, uint8_t *memory, size_t output,
                             size_t input, size_t count);

#endif
