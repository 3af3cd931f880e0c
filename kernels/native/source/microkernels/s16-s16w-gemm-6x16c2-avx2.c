#define DOT(SUMS, A, B) _mm256_add_epi32(SUMS, _mm256_madd_epi16(A, B))
#include "dot-tile-256.h"

TILES_OF(ROWS_TO_6, PANELS_TO_1, multiplyWordsAvx2)
