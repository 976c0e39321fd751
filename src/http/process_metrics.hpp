// The engine's own process, under the names that Prometheus' client libraries use for every process.
#pragma once

#include "http/exposition.hpp"

namespace boathouse::http {

// Reads /proc/self; what cannot be read is left out.
void add_process_metrics(Exposition& exposition);

}  // namespace boathouse::http
