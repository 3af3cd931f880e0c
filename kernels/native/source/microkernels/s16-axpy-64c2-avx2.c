#define DOT(SUMS, A, B) _mm256_add_epi32(SUMS, _mm256_madd_epi16(A, B))
#include "axpy-strip-256.h"

STRIPS_OF(CASES, VECTORS, CHANNELS, addProductsAvx2)
