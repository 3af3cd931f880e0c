#ifndef BITCELL_CHECKS_H
#define BITCELL_CHECKS_H

#include <stddef.h>
#include <stdint.h>

#include "instruction-set.h"

/* Memory that all arguments of a call are addresses in. */
typedef struct {
  uint8_t *start;
  size_t bytes;
} Memory;

/*
 * Whatever a descriptor says, nothing is read or written outside the memory: each of these returns NULL, or what is
 * wrong, before any kernel runs. Kernels get the copy of a descriptor that was checked, which nothing that they write
 * can change.
 */
const char *checkInt8(const Memory *memory, uint32_t address, const InstructionSet *set,
                      Int8Descriptor *descriptor);
/* `images` maps of `valueBytes` bytes a value. */
const char *checkInput(const Memory *memory, const WindowDescriptor *window, uint32_t address,
                       uint32_t images, size_t valueBytes);
const char *checkOutput(const Memory *memory, const WindowDescriptor *window, uint32_t address,
                        uint32_t images, size_t valueBytes);
/* Rows of a block among those of `images` images. */
const char *checkRows(const WindowDescriptor *window, int32_t blockRows, uint32_t images,
                      uint32_t firstRow, uint32_t rows);
/* A pooling of values of `valueBytes` bytes, its input and its output. */
const char *checkPooling(const Memory *memory, uint32_t address, uint32_t input, uint32_t output,
                         uint32_t images, size_t valueBytes, PoolingDescriptor *pooling);

/* Arrays of weights of a convolution: a byte for each, or ascending indices with a value for each. */
const char *checkBits(const WindowDescriptor *window, size_t length);
const char *checkIndices(const WindowDescriptor *window, const uint32_t *indices, size_t length,
                         size_t values);

/* Arguments of the functions of float32.h, and of those of the lanes; a list of channels is copied, too. */
const char *checkGather(const Memory *memory, uint32_t descriptor, uint32_t input, uint32_t block,
                        uint32_t firstRow, uint32_t rows, uint32_t group, GatherDescriptor *gather);
const char *checkFloat32Groups(const Memory *memory, uint32_t descriptor, uint32_t input,
                               uint32_t sums, uint32_t firstRow, uint32_t rows,
                               Float32GroupsDescriptor *groups);
const char *checkProduct(const Memory *memory, uint32_t descriptor, uint32_t a, uint32_t b,
                         uint32_t c, uint32_t rows, uint32_t depth, uint32_t start, ProductDescriptor *product);
const char *checkFinish(const Memory *memory, uint32_t descriptor, uint32_t sums,
                        uint32_t sumBytes, uint32_t output, uint32_t outputBytes, uint32_t rows,
                        uint32_t position, uint32_t step,
                        Float32FinishDescriptor *finish);
const char *checkScatter(const Memory *memory, uint32_t descriptor, uint32_t sums, uint32_t output,
                         uint32_t rows, uint32_t list, uint32_t count, uint32_t position,
                         Float32FinishDescriptor *finish, int32_t *listed);
const char *checkCollect(const Memory *memory, uint32_t panel, uint32_t packed, uint32_t depth,
                         uint32_t list, uint32_t count, int32_t *listed);
const char *checkValues(const Memory *memory, uint32_t values, uint32_t count);
const char *checkKernels(const Memory *memory, uint32_t descriptor, uint32_t output,
                         uint32_t input, uint32_t count, WinogradDescriptor *winograd);
const char *checkInputTiles(const Memory *memory, uint32_t descriptor, uint32_t input,
                            uint32_t transformed, uint32_t firstTile, uint32_t tiles,
                            WinogradDescriptor *winograd);
const char *checkOutputTiles(const Memory *memory, uint32_t descriptor, uint32_t finish,
                             uint32_t products, uint32_t output, uint32_t firstTile,
                             uint32_t tiles, WinogradDescriptor *winograd,
                             Float32FinishDescriptor *finishing);

/* The lists and tensors of a call that follows changes, as addresses. */
typedef struct {
  uint32_t changes;
  uint32_t changeCount;
  uint32_t patches;
  uint32_t patchCount;
  uint32_t input;
  uint32_t accumulators;
  uint32_t output;
  uint32_t target;
} DeltaArguments;

/* Lists are looked through, and nothing that is written overlaps anything else. */
const char *checkDelta(const Memory *memory, uint32_t descriptor, const DeltaArguments *arguments,
                       DeltaConvolutionDescriptor *delta, Int8FinishDescriptor *finish);

/* Arguments of the functions of cells; a list of cells is looked through. */
const char *checkDraws(const Memory *memory, uint32_t first, uint32_t number, uint32_t bound,
                       uint32_t bits, uint32_t fresh, uint32_t bins);
const char *checkKinds(const Memory *memory, uint32_t cells, uint32_t number, uint32_t bound,
                       uint32_t bits);
const char *checkArrangement(const Memory *memory, uint32_t source, uint32_t target, uint32_t rows,
                             uint32_t mux, uint32_t wordBits, uint32_t usedBits);
const char *checkWords(const Memory *memory, uint32_t words, uint32_t number);

#endif
