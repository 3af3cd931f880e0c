#define DOT _mm256_dpbusd_avx_epi32
#include "dot-tile-256.h"

TILES_OF(ROWS_TO_6, PANELS_TO_1, multiplyAvxVnni)
