#ifndef BITCELL_DESCRIPTORS_H
#define BITCELL_DESCRIPTORS_H

#include <stdint.h>

/* What kernels/native/ writes and these functions read: the layouts of kernels/native/layouts.ts, whose offsets the build
 * asserts in descriptors.c. Addresses count bytes from the start of the memory that every function is handed. */

typedef struct {
  int32_t inputHeight;
  int32_t inputWidth;
  int32_t inputChannels;
  int32_t outputHeight;
  int32_t outputWidth;
  int32_t outputChannels;
  int32_t kernelHeight;
  int32_t kernelWidth;
  int32_t strideY;
  int32_t strideX;
  int32_t padTop;
  int32_t padLeft;
  int32_t dilationY;
  int32_t dilationX;
  int32_t groups;
} WindowDescriptor;

typedef struct {
  WindowDescriptor window;
  /* What padding holds. */
  int32_t inputZeroPoint;
  /* Bytes from one gathered window to the next. */
  int32_t windowStride;
  /* Groups of four taps, the last padded by weights of zero. */
  int32_t steps;
  int32_t panelsPerGroup;
  /* Accumulators from one output position to the next. */
  int32_t rowStride;
  /* Most output positions of a block whose accumulators of all channels are kept, and of one of some panels at a time. */
  int32_t blockRows;
  int32_t panelRows;
  /* Most steps that a panel is multiplied by before the next rows are. */
  int32_t blockSteps;
  /* 1: a filter for each channel. */
  int32_t depthwise;
  /* [panel][step][16 channels][4 taps], or [tap][channel]. */
  uint32_t weights;
  /* Of each channel, what the zero points make of a sum of stored values included. */
  uint32_t bias;
  /* 0: all of them are zero. */
  uint32_t weightZeroPoints;
  uint32_t multipliers;
  uint32_t thresholds;
  /* From one output position to the next; 0: one threshold a channel. */
  int32_t thresholdStride;
  /* 0: none, 1: clip to zero, 2: clamp. */
  int32_t clip;
  int32_t outputZeroPoint;
  int32_t low;
  int32_t high;
  /* Blocks that all convolutions share. */
  uint32_t windows;
  uint32_t accumulators;
  /* From so many images on, taps of padding are left out where it is zero; 0: never. At most so many images a block. */
  int32_t unpaddedImages;
  int32_t unpaddedBlock;
  /* From so many images on, F(4×4, 3×3) computes what it can; 0: never. */
  int32_t transformedImages;
  /* Most tiles of a block, and most input channels whose transformed weights a block takes at a time. */
  int32_t blockTiles;
  int32_t blockChannels;
  /* 1: all transformed weights have a place; 0: those of four panels and `blockChannels` have. */
  int32_t keepsWeights;
  /* A pixel of zero points. */
  uint32_t padding;
  /* Blocks that all convolutions share: [element][tile][channel], [element][panel][pair of channels][16][2], and
   * [element][tile][64 channels]. */
  uint32_t transformedInputs;
  uint32_t transformedWeights;
  uint32_t products;
} Int8Descriptor;

typedef struct {
  int32_t channels;
  int32_t inputHeight;
  int32_t inputWidth;
  int32_t outputHeight;
  int32_t outputWidth;
  int32_t kernelHeight;
  int32_t kernelWidth;
  int32_t strideY;
  int32_t strideX;
  int32_t padTop;
  int32_t padLeft;
} PoolingDescriptor;

/* Of a float32 convolution; lengths are in bytes unless they say otherwise. kernels/assembly/ says what the fields mean. */
typedef struct {
  int32_t inputHeight;
  int32_t inputWidth;
  int32_t inputChannels;
  int32_t outputHeight;
  int32_t outputWidth;
  int32_t kernelHeight;
  int32_t kernelWidth;
  int32_t strideY;
  int32_t strideX;
  int32_t padTop;
  int32_t padLeft;
  int32_t dilationY;
  int32_t dilationX;
  int32_t groupChannels;
  int32_t zeroPoint;
  int32_t rowStride;
} GatherDescriptor;

typedef struct {
  int32_t rowBytes;
  int32_t panelBytes;
  int32_t panels;
  int32_t sumBytes;
} ProductDescriptor;

typedef struct {
  int32_t channels;
  int32_t clip;
  uint32_t thresholds;
  int32_t relu;
  int32_t thresholdStride;
  int32_t positions;
} Float32FinishDescriptor;

typedef struct {
  int32_t inputHeight;
  int32_t inputWidth;
  int32_t inputChannels;
  int32_t outputHeight;
  int32_t outputWidth;
  int32_t outputChannels;
  int32_t padTop;
  int32_t padLeft;
  int32_t tileOutputs;
  int32_t tileRows;
  int32_t tileColumns;
  int32_t inputPlane;
  int32_t outputPlane;
  int32_t weightPlane;
  uint32_t weights;
  uint32_t packed;
  uint32_t bias;
  uint32_t zeros;
  uint32_t scratch;
} WinogradDescriptor;

typedef struct {
  WindowDescriptor window;
  uint32_t weights;
  uint32_t bias;
  int32_t sumBytes;
  uint32_t padding;
  uint32_t firstInputs;
  uint32_t taps;
} Float32GroupsDescriptor;

/* What follows changes through a convolution; kernels/assembly/delta.ts says what the fields mean. */
typedef struct {
  int32_t inputHeight;
  int32_t inputWidth;
  int32_t inputChannels;
  int32_t outputHeight;
  int32_t outputWidth;
  int32_t outputChannels;
  int32_t kernelHeight;
  int32_t kernelWidth;
  int32_t strideY;
  int32_t strideX;
  int32_t padTop;
  int32_t padLeft;
  int32_t dilationY;
  int32_t dilationX;
  int32_t inputZeroPoint;
  int32_t rowChannels;
  uint32_t weights;
  uint32_t finish;
  uint32_t starts;
  uint32_t products;
  uint32_t differences;
  uint32_t usedBlocks;
} DeltaConvolutionDescriptor;

typedef struct {
  int32_t channels;
  int32_t rowStride;
  int32_t clip;
  uint32_t thresholds;
  uint32_t multipliers;
  int32_t zeroPoint;
  int32_t low;
  int32_t high;
  int32_t thresholdStride;
  int32_t positions;
} Int8FinishDescriptor;

typedef struct {
  int32_t position;
  int32_t channel;
  int32_t difference;
} Change;

typedef struct {
  int32_t output;
  int32_t input;
  int32_t ky;
  int32_t kx;
  int32_t difference;
} Patch;

typedef struct {
  uint32_t weights;
  int32_t difference;
} Product;

#endif
