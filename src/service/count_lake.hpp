// `boathouse-engine count-lake` and `read-lake`: engine/count_lake.hpp's report on standard output, an error on
// standard error.
#pragma once

#include "engine/count_lake.hpp"

namespace boathouse::service {

// The exit code.
int count_lake(engine::ReadDepth depth);

}  // namespace boathouse::service
