#define DOT _mm256_dpwssd_avx_epi32
#include "axpy-strip-256.h"

STRIPS_OF(CASES, VECTORS, CHANNELS, addProductsAvxVnni)
