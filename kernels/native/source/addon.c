/* The functions of the library, as Node-API has them: each takes the memory, and addresses in it. */
#define NAPI_VERSION 8
#include <node_api.h>

#include "checks.h"
#include "convolution.h"
#include "float32.h"
#include "guard.h"

enum { MOST_ARGUMENTS = 13, CACHE_LINE = 64 };

typedef struct {
  Memory memory;
  uint32_t numbers[MOST_ARGUMENTS];
} Arguments;

static napi_value failure(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

/* A typed array that is an argument. */
typedef struct {
  const void *values;
  size_t length;
  size_t bytes;
} Array;

/*
 * An ArrayBuffer, `count` integers of 32 bits, and arrays of the given types. Returns 0 with an exception pending where
 * they are something else.
 */
static int readArgumentsAndArrays(napi_env env, napi_callback_info info, size_t count,
                                  Arguments *read, size_t arrayCount,
                                  const napi_typedarray_type *types, Array *arrays) {
  size_t given = MOST_ARGUMENTS;
  napi_value values[MOST_ARGUMENTS];
  if (napi_get_cb_info(env, info, &given, values, NULL, NULL) != napi_ok ||
      given != 1 + count + arrayCount) {
    failure(env, "wrong number of arguments");
    return 0;
  }
  for (size_t i = 0; i < arrayCount; i++) {
    napi_typedarray_type type;
    void *start;
    if (napi_get_typedarray_info(env, values[1 + count + i], &type, &arrays[i].length, &start,
                                 NULL, NULL) != napi_ok ||
        type != types[i]) {
      failure(env, "an argument is not an array of its type");
      return 0;
    }
    arrays[i].values = start;
    arrays[i].bytes = arrays[i].length * (type == napi_uint32_array ? sizeof(uint32_t) : 1);
  }
  void *start;
  if (napi_get_arraybuffer_info(env, values[0], &start, &read->memory.bytes) != napi_ok) {
    failure(env, "the memory is not an ArrayBuffer");
    return 0;
  }
  read->memory.start = start;
  for (size_t i = 0; i < arrayCount; i++) {
    // What was checked must not change while it is used.
    const uintptr_t first = (uintptr_t)arrays[i].values;
    const uintptr_t memory = (uintptr_t)start;
    if (first < memory + read->memory.bytes && memory < first + arrays[i].bytes) {
      failure(env, "an array lies in the memory");
      return 0;
    }
  }
  for (size_t i = 0; i < count; i++) {
    double number;
    if (napi_get_value_double(env, values[i + 1], &number) != napi_ok ||
        !(number >= 0 && number <= UINT32_MAX)) {
      failure(env, "an argument is not an integer of 32 bits");
      return 0;
    }
    read->numbers[i] = (uint32_t)number;
  }
  return 1;
}

static int readArguments(napi_env env, napi_callback_info info, size_t count, Arguments *read) {
  return readArgumentsAndArrays(env, info, count, read, 0, NULL, NULL);
}

/* NULL, with an exception pending, unless the processor has it. */
static const InstructionSet *instructionSet(napi_env env, uint32_t index) {
  if (index < INSTRUCTION_SET_COUNT && INSTRUCTION_SETS[index]->supported()) {
    return INSTRUCTION_SETS[index];
  }
  failure(env, "the processor lacks the instruction set");
  return NULL;
}

/* runInt8(memory, instructionSet, descriptor, input, output, images) */
static napi_value callRunInt8(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 5, &read)) return NULL;
  const uint32_t *numbers = read.numbers;
  const InstructionSet *set = instructionSet(env, numbers[0]);
  if (!set) return NULL;
  const Memory *memory = &read.memory;
  Int8Descriptor descriptor;
  const char *wrong = checkInt8(memory, numbers[1], set, &descriptor);
  if (!wrong) wrong = checkInput(memory, &descriptor.window, numbers[2], numbers[4], 1);
  if (!wrong) wrong = checkOutput(memory, &descriptor.window, numbers[3], numbers[4], 1);
  if (wrong) return failure(env, wrong);
  uint8_t *start = memory->start;
  runInt8(set, &descriptor, start, start + numbers[2], start + numbers[3], numbers[4]);
  return NULL;
}

/* accumulateInt8(memory, instructionSet, descriptor, input, images, firstRow, rows) */
static napi_value callAccumulateInt8(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 6, &read)) return NULL;
  const uint32_t *numbers = read.numbers;
  const InstructionSet *set = instructionSet(env, numbers[0]);
  if (!set) return NULL;
  const Memory *memory = &read.memory;
  Int8Descriptor descriptor;
  const char *wrong = checkInt8(memory, numbers[1], set, &descriptor);
  if (!wrong) wrong = checkInput(memory, &descriptor.window, numbers[2], numbers[3], 1);
  if (!wrong) {
    wrong = checkRows(&descriptor.window, descriptor.blockRows, numbers[3], numbers[4],
                      numbers[5]);
  }
  if (wrong) return failure(env, wrong);
  uint8_t *start = memory->start;
  accumulateInt8(set, &descriptor, start, start + numbers[2], numbers[4], numbers[5]);
  return NULL;
}

/* finishInt8(memory, instructionSet, descriptor, output, images, firstRow, rows) */
static napi_value callFinishInt8(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 6, &read)) return NULL;
  const uint32_t *numbers = read.numbers;
  const InstructionSet *set = instructionSet(env, numbers[0]);
  if (!set) return NULL;
  const Memory *memory = &read.memory;
  Int8Descriptor descriptor;
  const char *wrong = checkInt8(memory, numbers[1], set, &descriptor);
  if (!wrong) wrong = checkOutput(memory, &descriptor.window, numbers[2], numbers[3], 1);
  if (!wrong) {
    wrong = checkRows(&descriptor.window, descriptor.blockRows, numbers[3], numbers[4],
                      numbers[5]);
  }
  if (wrong) return failure(env, wrong);
  uint8_t *start = memory->start;
  const size_t written = (size_t)numbers[4] * (size_t)descriptor.window.outputChannels;
  set->lanes->finishInt8(&descriptor, start, (const int32_t *)(start + descriptor.accumulators),
                         (size_t)descriptor.rowStride, start + numbers[2] + written, numbers[4],
                         numbers[5], 0, (size_t)descriptor.window.outputChannels);
  return NULL;
}

/* invertInt8Weights(memory, instructionSet, descriptor, bits): a Uint8Array with a byte for each weight. */
static napi_value callInvertInt8Weights(napi_env env, napi_callback_info info) {
  Arguments read;
  Array bits;
  const napi_typedarray_type types[] = {napi_uint8_array};
  if (!readArgumentsAndArrays(env, info, 2, &read, 1, types, &bits)) return NULL;
  const InstructionSet *set = instructionSet(env, read.numbers[0]);
  if (!set) return NULL;
  Int8Descriptor descriptor;
  const char *wrong = checkInt8(&read.memory, read.numbers[1], set, &descriptor);
  if (!wrong) wrong = checkBits(&descriptor.window, bits.length);
  if (wrong) return failure(env, wrong);
  if (!set->lanes->invertInt8Weights(&descriptor, read.memory.start, bits.values)) {
    return failure(env, "there is no memory for the order of the weights");
  }
  return NULL;
}

/* setInt8Weights(memory, instructionSet, descriptor, indices, values): a Uint32Array, ascending, and an Int8Array. */
static napi_value callSetInt8Weights(napi_env env, napi_callback_info info) {
  Arguments read;
  Array arrays[2];
  const napi_typedarray_type types[] = {napi_uint32_array, napi_int8_array};
  if (!readArgumentsAndArrays(env, info, 2, &read, 2, types, arrays)) return NULL;
  const InstructionSet *set = instructionSet(env, read.numbers[0]);
  if (!set) return NULL;
  const uint32_t *indices = arrays[0].values;
  Int8Descriptor descriptor;
  const char *wrong = checkInt8(&read.memory, read.numbers[1], set, &descriptor);
  if (!wrong) {
    wrong = checkIndices(&descriptor.window, indices, arrays[0].length, arrays[1].length);
  }
  if (wrong) return failure(env, wrong);
  if (!set->lanes->setInt8Weights(&descriptor, read.memory.start, indices, arrays[1].values,
                      arrays[0].length)) {
    return failure(env, "there is no memory for the order of the weights");
  }
  return NULL;
}

/* updateConvolution(memory, instructionSet, descriptor, changes, changeCount, patches, patchCount, input, accumulators,
   output, target): the number of changes in `target`. */
static napi_value callUpdateConvolution(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 10, &read)) return NULL;
  const uint32_t *n = read.numbers;
  const InstructionSet *set = instructionSet(env, n[0]);
  if (!set) return NULL;
  const DeltaArguments arguments = {
      .changes = n[2],      .changeCount = n[3], .patches = n[4], .patchCount = n[5], .input = n[6],
      .accumulators = n[7], .output = n[8],      .target = n[9],
  };
  DeltaConvolutionDescriptor delta;
  Int8FinishDescriptor finish;
  const char *wrong = checkDelta(&read.memory, n[1], &arguments, &delta, &finish);
  if (wrong) return failure(env, wrong);
  uint8_t *start = read.memory.start;
  const DeltaTensors tensors = {
      .changes = (const Change *)(start + arguments.changes),
      .changeCount = arguments.changeCount,
      .patches = (const Patch *)(start + arguments.patches),
      .patchCount = arguments.patchCount,
      .input = start + arguments.input,
      .accumulators = (const int32_t *)(start + arguments.accumulators),
      .output = start + arguments.output,
      .target = (Change *)(start + arguments.target),
  };
  const size_t found =
      set->lanes->updateConvolution(&delta, &finish, start, set->addProducts, &tensors);
  napi_value result;
  return napi_create_uint32(env, (uint32_t)found, &result) == napi_ok ? result : NULL;
}

/* poolUint8 and poolFloat32(memory, instructionSet, descriptor, input, output, images) */
static napi_value callPool(napi_env env, napi_callback_info info, size_t valueBytes) {
  Arguments read;
  if (!readArguments(env, info, 5, &read)) return NULL;
  const uint32_t *numbers = read.numbers;
  const InstructionSet *set = instructionSet(env, numbers[0]);
  if (!set) return NULL;
  uint8_t *start = read.memory.start;
  PoolingDescriptor pooling;
  const char *wrong = checkPooling(&read.memory, numbers[1], numbers[2], numbers[3], numbers[4],
                                   valueBytes, &pooling);
  if (wrong) return failure(env, wrong);
  const size_t channels = (size_t)pooling.channels;
  const size_t inputs = (size_t)pooling.inputHeight * (size_t)pooling.inputWidth * channels;
  const size_t outputs = (size_t)pooling.outputHeight * (size_t)pooling.outputWidth * channels;
  for (size_t image = 0; image < numbers[4]; image++) {
    const uint8_t *input = start + numbers[2] + image * inputs * valueBytes;
    uint8_t *output = start + numbers[3] + image * outputs * valueBytes;
    if (valueBytes == 1) {
      set->lanes->poolUint8(&pooling, input, output);
    } else {
      set->lanes->poolFloat32(&pooling, (const float *)input, (float *)output);
    }
  }
  return NULL;
}

static napi_value callPoolUint8(napi_env env, napi_callback_info info) {
  return callPool(env, info, sizeof(uint8_t));
}

static napi_value callPoolFloat32(napi_env env, napi_callback_info info) {
  return callPool(env, info, sizeof(float));
}

/* gatherFloat32(memory, instructionSet, descriptor, input, block, firstRow, rows, group) */
static napi_value callGatherFloat32(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 7, &read)) return NULL;
  const uint32_t *n = read.numbers;
  const InstructionSet *set = instructionSet(env, n[0]);
  if (!set) return NULL;
  GatherDescriptor gather;
  const char *wrong = checkGather(&read.memory, n[1], n[2], n[3], n[4], n[5], n[6], &gather);
  if (wrong) return failure(env, wrong);
  uint8_t *start = read.memory.start;
  gatherFloat32(&gather, start + n[2], start + n[3], n[4], n[5],
                n[6]);
  return NULL;
}

/* multiplyFloat32Panels(memory, instructionSet, descriptor, a, b, c, rows, depth, start) */
static napi_value callMultiplyFloat32(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 8, &read)) return NULL;
  const uint32_t *n = read.numbers;
  const InstructionSet *set = instructionSet(env, n[0]);
  if (!set) return NULL;
  ProductDescriptor product;
  const char *wrong = checkProduct(&read.memory, n[1], n[2], n[3], n[4], n[5], n[6], n[7], &product);
  if (wrong) return failure(env, wrong);
  uint8_t *start = read.memory.start;
  multiplyFloat32Panels(set, &product, start + n[2], start + n[3],
                        start + n[4], n[5], n[6], n[7] ? start + n[7] : NULL);
  return NULL;
}

/* finishFloat32Rows(memory, instructionSet, descriptor, sums, sumBytes, output, outputBytes, rows, position, step) */
static napi_value callFinishFloat32(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 9, &read)) return NULL;
  const uint32_t *n = read.numbers;
  const InstructionSet *set = instructionSet(env, n[0]);
  if (!set) return NULL;
  Float32FinishDescriptor finish;
  const char *wrong = checkFinish(&read.memory, n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], &finish);
  if (wrong) return failure(env, wrong);
  uint8_t *start = read.memory.start;
  set->lanes->finishFloat32(&finish, start, start + n[2],
                            n[3], start + n[4], n[5], n[6], n[7], n[8]);
  return NULL;
}

/* scatterFloat32Channels(memory, instructionSet, descriptor, sums, output, rows, list, count, position) */
static napi_value callScatterFloat32(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 8, &read)) return NULL;
  const uint32_t *n = read.numbers;
  const InstructionSet *set = instructionSet(env, n[0]);
  if (!set) return NULL;
  Float32FinishDescriptor finish;
  int32_t list[PANEL_CHANNELS];
  const char *wrong = checkScatter(&read.memory, n[1], n[2], n[3], n[4], n[5], n[6], n[7], &finish, list);
  if (wrong) return failure(env, wrong);
  uint8_t *start = read.memory.start;
  scatterFloat32Channels(&finish, start,
                         (const float *)(start + n[2]), (float *)(start + n[3]), n[4],
                         list, n[6], n[7]);
  return NULL;
}

/* collectFloat32Channels(memory, instructionSet, panel, packed, depth, list, count) */
static napi_value callCollectFloat32(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 6, &read)) return NULL;
  const uint32_t *n = read.numbers;
  const InstructionSet *set = instructionSet(env, n[0]);
  if (!set) return NULL;
  int32_t list[PANEL_CHANNELS];
  const char *wrong = checkCollect(&read.memory, n[1], n[2], n[3], n[4], n[5], list);
  if (wrong) return failure(env, wrong);
  uint8_t *start = read.memory.start;
  collectFloat32Channels((float *)(start + n[1]), (const float *)(start + n[2]), n[3],
                         list, n[5]);
  return NULL;
}

/* addFloat32Groups(memory, instructionSet, descriptor, input, sums, firstRow, rows) */
static napi_value callAddFloat32Groups(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 6, &read)) return NULL;
  const uint32_t *n = read.numbers;
  const InstructionSet *set = instructionSet(env, n[0]);
  if (!set) return NULL;
  Float32GroupsDescriptor groups;
  const char *wrong = checkFloat32Groups(&read.memory, n[1], n[2], n[3], n[4], n[5], &groups);
  if (wrong) return failure(env, wrong);
  uint8_t *start = read.memory.start;
  set->lanes->addFloat32Groups(&groups, start, (const float *)(start + n[2]), start + n[3], n[4],
                               n[5]);
  return NULL;
}

/* exceedsFloat32(memory, instructionSet, values, count, limit) */
static napi_value callExceedsFloat32(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 4, &read)) return NULL;
  const uint32_t *n = read.numbers;
  const InstructionSet *set = instructionSet(env, n[0]);
  if (!set) return NULL;
  const char *wrong = checkValues(&read.memory, n[1], n[2]);
  if (wrong) return failure(env, wrong);
  uint8_t *start = read.memory.start;
  const int exceeds =
      set->lanes->exceedsFloat32((const float *)(start + n[1]), n[2], (int32_t)n[3]);
  napi_value result;
  return napi_create_uint32(env, (uint32_t)exceeds, &result) == napi_ok ? result : NULL;
}

/* transformFloat32Kernels(memory, instructionSet, descriptor, output, input, count) */
static napi_value callTransformKernels(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 5, &read)) return NULL;
  const uint32_t *n = read.numbers;
  const InstructionSet *set = instructionSet(env, n[0]);
  if (!set) return NULL;
  WinogradDescriptor winograd;
  const char *wrong = checkKernels(&read.memory, n[1], n[2], n[3], n[4], &winograd);
  if (wrong) return failure(env, wrong);
  uint8_t *start = read.memory.start;
  transformFloat32Kernels(&winograd, start, n[2], n[3], n[4]);
  return NULL;
}

/* transformFloat32Inputs(memory, instructionSet, descriptor, input, transformed, firstTile, tiles) */
static napi_value callTransformInputs(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 6, &read)) return NULL;
  const uint32_t *n = read.numbers;
  const InstructionSet *set = instructionSet(env, n[0]);
  if (!set) return NULL;
  WinogradDescriptor winograd;
  const char *wrong = checkInputTiles(&read.memory, n[1], n[2], n[3], n[4], n[5], &winograd);
  if (wrong) return failure(env, wrong);
  uint8_t *start = read.memory.start;
  set->lanes->transformInputs(&winograd, start,
                              (const float *)(start + n[2]), start + n[3], n[4], n[5]);
  return NULL;
}

/* transformFloat32Outputs(memory, instructionSet, descriptor, finish, products, output, firstTile, tiles) */
static napi_value callTransformOutputs(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 7, &read)) return NULL;
  const uint32_t *n = read.numbers;
  const InstructionSet *set = instructionSet(env, n[0]);
  if (!set) return NULL;
  WinogradDescriptor winograd;
  Float32FinishDescriptor finish;
  const char *wrong = checkOutputTiles(&read.memory, n[1], n[2], n[3], n[4], n[5], n[6], &winograd, &finish);
  if (wrong) return failure(env, wrong);
  uint8_t *start = read.memory.start;
  set->lanes->transformOutputs(&winograd,
                               &finish, start,
                               start + n[3], (float *)(start + n[4]), n[5], n[6]);
  return NULL;
}

/* markDraws(memory, instructionSet, key0, key1, trial, purpose, first, count, bound, bits, fresh, bins): how many were
   not marked; without a list of them where fresh is 0. */
static napi_value callMarkDraws(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 11, &read)) return NULL;
  const uint32_t *n = read.numbers;
  const InstructionSet *set = instructionSet(env, n[0]);
  if (!set) return NULL;
  const char *wrong = checkDraws(&read.memory, n[5], n[6], n[7], n[8], n[9], n[10]);
  if (wrong) return failure(env, wrong);
  uint8_t *start = read.memory.start;
  const CellStream stream = {.key = {n[1], n[2]}, .trial = n[3], .purpose = n[4]};
  const size_t found =
      set->lanes->markDraws(&stream, n[5], n[6], n[7], (uint64_t *)(start + n[8]),
                            n[9] ? (uint32_t *)(start + n[9]) : NULL, (uint32_t *)(start + n[10]));
  napi_value result;
  return napi_create_uint32(env, (uint32_t)found, &result) == napi_ok ? result : NULL;
}

/* markKinds(memory, instructionSet, key0, key1, trial, purpose, cells, count, bound, limitHigh, limitLow, bits) */
static napi_value callMarkKinds(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 11, &read)) return NULL;
  const uint32_t *n = read.numbers;
  const InstructionSet *set = instructionSet(env, n[0]);
  if (!set) return NULL;
  const char *wrong = checkKinds(&read.memory, n[5], n[6], n[7], n[10]);
  if (wrong) return failure(env, wrong);
  uint8_t *start = read.memory.start;
  const CellStream stream = {.key = {n[1], n[2]}, .trial = n[3], .purpose = n[4]};
  set->lanes->markKinds(&stream, (const uint32_t *)(start + n[5]), n[6],
                        (uint64_t)n[8] << 32 | n[9], (uint64_t *)(start + n[10]));
  return NULL;
}

/* arrangeBits(memory, instructionSet, source, target, rows, columnMux, wordBits, usedBits) */
static napi_value callArrangeBits(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 7, &read)) return NULL;
  const uint32_t *n = read.numbers;
  const InstructionSet *set = instructionSet(env, n[0]);
  if (!set) return NULL;
  const char *wrong = checkArrangement(&read.memory, n[1], n[2], n[3], n[4], n[5], n[6]);
  if (wrong) return failure(env, wrong);
  uint8_t *start = read.memory.start;
  set->lanes->arrangeBits((const uint64_t *)(start + n[1]), start + n[2], n[3], n[4], n[5], n[6]);
  return NULL;
}

/* countBits(memory, instructionSet, words, count): of 64 bits each. */
static napi_value callCountBits(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 3, &read)) return NULL;
  const uint32_t *n = read.numbers;
  const InstructionSet *set = instructionSet(env, n[0]);
  if (!set) return NULL;
  const char *wrong = checkWords(&read.memory, n[1], n[2]);
  if (wrong) return failure(env, wrong);
  const size_t bits = set->lanes->countBits((const uint64_t *)(read.memory.start + n[1]), n[2]);
  napi_value result;
  return napi_create_double(env, (double)bits, &result) == napi_ok ? result : NULL;
}

/* misalignment(memory): bytes by which the memory starts after a cache line. */
static napi_value callMisalignment(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 0, &read)) return NULL;
  napi_value bytes;
  const uint32_t misalignment = (uint32_t)((uintptr_t)read.memory.start % CACHE_LINE);
  return napi_create_uint32(env, misalignment, &bytes) == napi_ok ? bytes : NULL;
}

/* guard(memory, address, bytes): nothing may read or write these bytes; only a build with a sanitizer notices. */
static napi_value callGuard(napi_env env, napi_callback_info info) {
  Arguments read;
  if (!readArguments(env, info, 2, &read)) return NULL;
  if ((uint64_t)read.numbers[0] + read.numbers[1] > read.memory.bytes) {
    return failure(env, "an address lies outside the memory");
  }
  guard(read.memory.start + read.numbers[0], read.numbers[1]);
  return NULL;
}

/* The names of all instruction sets, best first, each with whether this processor has it. */
static napi_value instructionSets(napi_env env) {
  napi_value names;
  if (napi_create_array_with_length(env, INSTRUCTION_SET_COUNT, &names) != napi_ok) return NULL;
  for (size_t i = 0; i < INSTRUCTION_SET_COUNT; i++) {
    const InstructionSet *set = INSTRUCTION_SETS[i];
    napi_value entry, name, supported, panels, steps, rows, transforms;
    if (napi_create_object(env, &entry) != napi_ok ||
        napi_create_string_utf8(env, set->name, NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_get_boolean(env, set->supported(), &supported) != napi_ok ||
        napi_create_uint32(env, (uint32_t)set->tileRows, &rows) != napi_ok ||
        napi_get_boolean(env, set->multiplyInt16 != NULL, &transforms) != napi_ok ||
        napi_create_uint32(env, (uint32_t)set->tilePanels, &panels) != napi_ok ||
        napi_create_uint32(env, (uint32_t)set->tileSteps, &steps) != napi_ok ||
        napi_set_named_property(env, entry, "name", name) != napi_ok ||
        napi_set_named_property(env, entry, "supported", supported) != napi_ok ||
        napi_set_named_property(env, entry, "tileRows", rows) != napi_ok ||
        napi_set_named_property(env, entry, "transforms", transforms) != napi_ok ||
        napi_set_named_property(env, entry, "tilePanels", panels) != napi_ok ||
        napi_set_named_property(env, entry, "tileSteps", steps) != napi_ok ||
        napi_set_element(env, names, (uint32_t)i, entry) != napi_ok) {
      return NULL;
    }
  }
  return names;
}

static const struct {
  const char *name;
  napi_callback call;
} FUNCTIONS[] = {
    {"runInt8", callRunInt8},
    {"accumulateInt8", callAccumulateInt8},
    {"finishInt8", callFinishInt8},
    {"invertInt8Weights", callInvertInt8Weights},
    {"setInt8Weights", callSetInt8Weights},
    {"updateConvolution", callUpdateConvolution},
    {"poolUint8", callPoolUint8},
    {"poolFloat32", callPoolFloat32},
    {"gatherFloat32", callGatherFloat32},
    {"multiplyFloat32Panels", callMultiplyFloat32},
    {"finishFloat32Rows", callFinishFloat32},
    {"scatterFloat32Channels", callScatterFloat32},
    {"collectFloat32Channels", callCollectFloat32},
    {"addFloat32Groups", callAddFloat32Groups},
    {"exceedsFloat32", callExceedsFloat32},
    {"transformFloat32Kernels", callTransformKernels},
    {"transformFloat32Inputs", callTransformInputs},
    {"transformFloat32Outputs", callTransformOutputs},
    {"markDraws", callMarkDraws},
    {"markKinds", callMarkKinds},
    {"arrangeBits", callArrangeBits},
    {"countBits", callCountBits},
    {"misalignment", callMisalignment},
    {"guard", callGuard},
};

NAPI_MODULE_INIT() {
  napi_value sets = instructionSets(env);
  napi_value guardBytes;
  if (!sets || napi_set_named_property(env, exports, "instructionSets", sets) != napi_ok ||
      napi_create_uint32(env, GUARD_BYTES, &guardBytes) != napi_ok ||
      napi_set_named_property(env, exports, "guardBytes", guardBytes) != napi_ok) {
    return NULL;
  }
  for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++) {
    napi_value function;
    if (napi_create_function(env, FUNCTIONS[i].name, NAPI_AUTO_LENGTH, FUNCTIONS[i].call, NULL,
                             &function) != napi_ok ||
        napi_set_named_property(env, exports, FUNCTIONS[i].name, function) != napi_ok) {
      return NULL;
    }
  }
  return exports;
}
