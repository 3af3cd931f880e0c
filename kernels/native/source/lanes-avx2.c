#define LANES avx2Lanes
#define LANE_BYTES 32
#include "lanes.h"
