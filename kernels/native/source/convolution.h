#ifndef BITCELL_CONVOLUTION_H
#define BITCELL_CONVOLUTION_H

#include "instruction-set.h"

/* Whether taps of padding are left out: they and zero points of weights must add nothing. */
static inline int isUnpadded(const Int8Descriptor *descriptor) {
  return descriptor->unpaddedImages > 0 && descriptor->inputZeroPoint == 0 &&
         descriptor->weightZeroPoints == 0;
}

/* Descriptors and ranges of these have been checked (checks.h). */

/* A convolution of `images` images, block by block of output positions. */
void runInt8(const InstructionSet *set, const Int8Descriptor *descriptor, uint8_t *memory,
             const uint8_t *input, uint8_t *output, size_t images);

/* Accumulators of `rows` output positions from `firstRow` on, at most a block, at `descriptor->accumulators`. */
void accumulateInt8(const InstructionSet *set, const Int8Descriptor *descriptor, uint8_t *memory,
                    const uint8_t *input, size_t firstRow, size_t rows);

#endif
