#define LANES portableLanes
#define LANE_BYTES 16
#include "lanes.h"
