#if defined(__linux__)
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "instruction-set.h"
#include "microkernels.h"

extern const Lanes portableLanes;

#if defined(__x86_64__)
extern const Lanes avx512Lanes;
extern const Lanes avx2Lanes;

/* __builtin_cpu_supports asks CPUID, and the operating system for the registers. */
static int hasAvx2(void) { return __builtin_cpu_supports("avx2") != 0; }

static int hasAvxVnni(void) { return hasAvx2() && __builtin_cpu_supports("avxvnni") != 0; }

static int hasAvx512Vnni(void) {
  return hasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
}

/* Linux hands out the tile registers, 8 KiB a thread, to processes that ask for them. */
static int hasAmx(void) {
#if defined(__linux__)
  enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
  return hasAvx512Vnni() && __builtin_cpu_supports("amx-tile") &&
         __builtin_cpu_supports("amx-int8") &&
         syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
#else
  return 0;
#endif
}

static const InstructionSet amx = {
    .name = "amx",
    .supported = hasAmx,
    .multiplyInt8 = multiplyAmx,
    .tileRows = 32,
    .tilePanels = 2,
    .tileSteps = 16,
    .addProducts = addProductsAvx512Vnni,
    .multiplyFloat32 = multiplyFloat32Avx512,
    .floatRows = 6,
    .floatPanels = 4,
    .lanes = &avx512Lanes,
};

static const InstructionSet avx512Vnni = {
    .name = "avx512vnni",
    .supported = hasAvx512Vnni,
    .multiplyInt8 = multiplyAvx512Vnni,
    .tileRows = 6,
    .tilePanels = 4,
    .tileSteps = 1,
    .multiplyInt16 = multiplyWordsAvx512Vnni,
    .wordRows = 6,
    .addProducts = addProductsAvx512Vnni,
    .multiplyFloat32 = multiplyFloat32Avx512,
    .floatRows = 6,
    .floatPanels = 4,
    .lanes = &avx512Lanes,
};

static const InstructionSet avxVnni = {
    .name = "avxvnni",
    .supported = hasAvxVnni,
    .multiplyInt8 = multiplyAvxVnni,
    .tileRows = 6,
    .tilePanels = 1,
    .tileSteps = 1,
    .multiplyInt16 = multiplyWordsAvxVnni,
    .wordRows = 6,
    .addProducts = addProductsAvxVnni,
    .multiplyFloat32 = multiplyFloat32Avx2,
    .floatRows = 6,
    .floatPanels = 1,
    .lanes = &avx2Lanes,
};

static const InstructionSet avx2 = {
    .name = "avx2",
    .supported = hasAvx2,
    .multiplyInt8 = multiplyAvx2,
    .tileRows = 2,
    .tilePanels = 1,
    .tileSteps = 1,
    .multiplyInt16 = multiplyWordsAvx2,
    .wordRows = 6,
    .addProducts = addProductsAvx2,
    .multiplyFloat32 = multiplyFloat32Avx2,
    .floatRows = 6,
    .floatPanels = 1,
    .lanes = &avx2Lanes,
};
#endif

static int always(void) { return 1; }

static const InstructionSet portable = {
    .name = "portable",
    .supported = always,
    .multiplyInt8 = multiplyPortable,
    .tileRows = 2,
    .tilePanels = 1,
    .tileSteps = 1,
    .addProducts = addProductsPortable,
    .multiplyFloat32 = multiplyFloat32Portable,
    .floatRows = 2,
    .floatPanels = 1,
    .lanes = &portableLanes,
};

const InstructionSet *const INSTRUCTION_SETS[] = {
#if defined(__x86_64__)
    &amx,
    &avx512Vnni,
    &avxVnni,
    &avx2,
#endif
    &portable,
};

const size_t INSTRUCTION_SET_COUNT = sizeof INSTRUCTION_SETS / sizeof *INSTRUCTION_SETS;
