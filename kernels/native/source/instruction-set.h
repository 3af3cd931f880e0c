#ifndef BITCELL_INSTRUCTION_SET_H
#define BITCELL_INSTRUCTION_SET_H

#include <stddef.h>
#include <stdint.h>

#include "descriptors.h"

/* Of a loop over the rows or vectors of a tile: only then do all of its sums stay in registers (GCC 12, -O3). */
#define UNROLLED _Pragma("GCC unroll 8")

/* Output channels of a packed panel, and taps that one 32-bit lane multiplies. */
enum { PANEL_CHANNELS = 16, STEP_TAPS = 4 };

/*
 * A tile of a matrix product: sums of `rows` windows and `panels` panels over `steps` steps, modulo 2^32.
 *
 * a: windows of uint8, `aStride` bytes from one to the next; b: panels [step][16 channels][4 taps] of int8, `panelStride`
 * bytes from one to the next; c: sums, `cStride` from one window to the next. They start at `start` (one a channel), or
 * where that is NULL at what c holds.
 */
typedef void MultiplyInt8(size_t rows, size_t panels, size_t steps, const uint8_t *a,
                          size_t aStride, const int8_t *b, size_t panelStride, int32_t *c,
                          size_t cStride, const int32_t *start);

/* The same for rows of int16 and panels [step][16 channels][2] of int16; strides still count bytes, and a step takes four. */
typedef MultiplyInt8 MultiplyInt16;

/*
 * Add rows of int16 weights, each times the difference of its product, to the sums of `channels` channels, a multiple of
 * 16, modulo 2^32; the channels lie `offset` bytes into each row. Differences have 9 bits.
 */
typedef void AddProducts(size_t channels, const uint8_t *memory, const Product *products,
                         size_t count, size_t offset, int32_t *sums);

/*
 * The same in float32: products and sums are rounded one by one, in ascending order of the `depth` values of a row. Panels
 * are [value][16 channels]; strides count values.
 */
typedef void MultiplyFloat32(size_t rows, size_t panels, size_t depth, const float *a,
                             size_t aStride, const float *b, size_t panelStride, float *c,
                             size_t cStride, const float *start);

/*
 * Clip, requantise and store `count` channels from `channel` on, of `rows` output positions from `firstRow` on: `sums` has
 * those channels alone, `sumStride` from one position to the next, `output` all channels of the first of the positions.
 */
typedef void FinishInt8(const Int8Descriptor *descriptor, const uint8_t *memory,
                        const int32_t *sums, size_t sumStride, uint8_t *output, size_t firstRow,
                        size_t rows, size_t channel, size_t count);

/* Accumulators of `rows` output positions from `firstRow` on, of a convolution with a filter for each channel. */
typedef void AccumulateDepthwise(const Int8Descriptor *descriptor, const uint8_t *memory,
                                 const uint8_t *input, int32_t *accumulators, size_t firstRow,
                                 size_t rows);

/* Maximum over each window of one image. */
typedef void PoolUint8(const PoolingDescriptor *descriptor, const uint8_t *input, uint8_t *output);
typedef void PoolFloat32(const PoolingDescriptor *descriptor, const float *input, float *output);

/*
 * Clip, ReLU and store rows of sums, which may lie where they are stored; strides count bytes. `step` is 1 where the next
 * row is the next output position, and 0 where it is the same one of another image.
 */
typedef void FinishFloat32(const Float32FinishDescriptor *descriptor, const uint8_t *memory,
                           const uint8_t *sums, size_t sumBytes, uint8_t *output,
                           size_t outputBytes, size_t rows, size_t position, size_t step);

/* Transform the inputs of tiles, numbered image-major, and the products of tiles back into outputs. */
typedef void TransformInputs(const WinogradDescriptor *descriptor, const uint8_t *memory,
                             const float *input, uint8_t *transformed, size_t firstTile,
                             size_t tiles);
typedef void TransformOutputs(const WinogradDescriptor *descriptor,
                              const Float32FinishDescriptor *finish, const uint8_t *memory,
                              const uint8_t *products, float *output, size_t firstTile,
                              size_t tiles);

/* Sums of `rows` output positions from `firstRow` on, of a convolution in groups of few output channels. */
typedef void AddFloat32Groups(const Float32GroupsDescriptor *descriptor, const uint8_t *memory,
                              const float *input, uint8_t *sums, size_t firstRow, size_t rows);
/*
 * F(4×4, 3×3) of stored int8 values, in int16 and modulo 2^32 (transforms-int8.h). Element e of a tile lies e · `element`
 * bytes from element 0. Inputs and products of tiles, numbered image-major, are rows `rowBytes` apart.
 */
typedef void TransformInputsInt8(const Int8Descriptor *descriptor, const uint8_t *memory,
                                 const uint8_t *input, size_t firstTile, size_t tiles,
                                 uint8_t *transformed, size_t element);
/*
 * The weights of one packed panel and `count` of its input channels from `first` on, and what their positive and (negated)
 * negative values add to the sums of each of its 16 output channels.
 */
typedef void TransformWeightsInt8(const int8_t *panel, size_t channels, size_t first, size_t count,
                                  uint8_t *transformed, size_t element, int32_t *positive,
                                  int32_t *negative);
/* Outputs, clipped and requantised, of `count` output channels from `firstChannel` on, which the products have alone. */
typedef void TransformOutputsInt8(const Int8Descriptor *descriptor, const uint8_t *memory,
                                  const uint8_t *products, size_t rowBytes, size_t element,
                                  uint8_t *output, size_t firstTile, size_t tiles,
                                  size_t firstChannel, size_t count);

/* Whether one of the values has a magnitude above `limit` (its bits), or is NaN. */
typedef int ExceedsFloat32(const float *values, size_t count, int32_t limit);

/* The random numbers of one trial and purpose: Philox4x32-10 with the counters (trial, purpose, index, 0). */
typedef struct {
  uint32_t key[2];
  uint32_t trial;
  uint32_t purpose;
} CellStream;

/*
 * Drawn cells are put into bins before they are marked: those of one bin mark a part of the bitmap that stays in a level-2
 * cache. From bin to bin it is an odd number of cache lines, so that they lie in different sets of the caches.
 */
enum { CELL_BINS = 256, BIN_CELLS = 8192, BIN_STRIDE = BIN_CELLS + 16 };

/*
 * Mark in a bitmap the whole numbers below `bound` that a stream gives for `count` indices from `first` on, and list those
 * that were not marked before in `fresh` (room for `count`; NULL: no list), in any order; `bins` has room for CELL_BINS · BIN_STRIDE.
 * Returns how many these are.
 */
typedef size_t MarkDraws(const CellStream *stream, uint32_t first, size_t count, uint32_t bound,
                         uint64_t *bits, uint32_t *fresh, uint32_t *bins);

/* Mark of listed cells those whose number of the stream, of 53 bits, is not below `limit`. */
typedef void MarkKinds(const CellStream *stream, const uint32_t *cells, size_t count,
                       uint64_t limit, uint64_t *bits);

/*
 * From the bits of a memory's cells in rows of `mux` interleaved words of `wordBits` to the first `usedBits` of each word,
 * word after word.
 */
typedef void ArrangeBits(const uint64_t *source, uint8_t *target, size_t rows, uint32_t mux,
                         uint32_t wordBits, uint32_t usedBits);

typedef size_t CountBits(const uint64_t *words, size_t count);

/*
 * Invert bits of the weights of a convolution, a byte for each, or replace those of ascending indices. Return 0 where there
 * is no memory for it.
 */
typedef int InvertInt8Weights(const Int8Descriptor *descriptor, uint8_t *memory,
                              const uint8_t *bits);
typedef int SetInt8Weights(const Int8Descriptor *descriptor, uint8_t *memory,
                           const uint32_t *indices, const int8_t *values, size_t count);

/* Where a layer that follows changes finds its tensors: the addresses of a call. */
typedef struct {
  const Change *changes;
  size_t changeCount;
  const Patch *patches;
  size_t patchCount;
  const uint8_t *input;
  const int32_t *accumulators;
  uint8_t *output;
  Change *target;
} DeltaTensors;

/*
 * Bring the recorded output of one image up to date with what changed in its input and weights, and list what changes in
 * it. Returns the number of changes.
 */
typedef size_t UpdateConvolution(const DeltaConvolutionDescriptor *descriptor,
                                 const Int8FinishDescriptor *finish, uint8_t *memory,
                                 AddProducts *addProducts, const DeltaTensors *tensors);

/* What loops over channels compile to with the vectors of one instruction set (lanes.h). */
typedef struct {
  FinishInt8 *finishInt8;
  AccumulateDepthwise *accumulateDepthwise;
  PoolUint8 *poolUint8;
  PoolFloat32 *poolFloat32;
  FinishFloat32 *finishFloat32;
  TransformInputs *transformInputs;
  TransformOutputs *transformOutputs;
  AddFloat32Groups *addFloat32Groups;
  ExceedsFloat32 *exceedsFloat32;
  TransformInputsInt8 *transformInputsInt8;
  TransformWeightsInt8 *transformWeightsInt8;
  TransformOutputsInt8 *transformOutputsInt8;
  MarkDraws *markDraws;
  MarkKinds *markKinds;
  ArrangeBits *arrangeBits;
  CountBits *countBits;
  InvertInt8Weights *invertInt8Weights;
  SetInt8Weights *setInt8Weights;
  UpdateConvolution *updateConvolution;
} Lanes;

typedef struct {
  const char *name;
  /* Whether this processor and its operating system have it; what it needs of either is asked for here. */
  int (*supported)(void);
  MultiplyInt8 *multiplyInt8;
  /* Most rows and panels of a tile. */
  size_t tileRows;
  size_t tilePanels;
  /* Steps of a packed panel are a multiple of this. */
  size_t tileSteps;
  /* Of as many panels, and at most `wordRows` rows. NULL: no transforms, direct products take less time. */
  MultiplyInt16 *multiplyInt16;
  size_t wordRows;
  AddProducts *addProducts;
  MultiplyFloat32 *multiplyFloat32;
  size_t floatRows;
  size_t floatPanels;
  const Lanes *lanes;
} InstructionSet;

/* Best first; the last one needs nothing. */
extern const InstructionSet *const INSTRUCTION_SETS[];
extern const size_t INSTRUCTION_SET_COUNT;

#endif
