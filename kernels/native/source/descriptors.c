#include "descriptors.h"

#include <stddef.h>

/* Made by the build from kernels/native/layouts.ts. */
#include "layouts.h"
