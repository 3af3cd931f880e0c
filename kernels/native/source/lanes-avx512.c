#define LANES avx512Lanes
#define LANE_BYTES 64
#include "lanes.h"
