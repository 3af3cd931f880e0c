#define DOT _mm512_dpbusd_epi32
#include "dot-tile-512.h"

TILES_OF(ROWS_TO_6, PANELS_TO_4, multiplyAvx512Vnni)
