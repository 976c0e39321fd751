// The log as the settings want it: `log_level` and `log_format`. Called once, by each executable's main().
#pragma once

#include "config/settings.hpp"

namespace boathouse::config {

void start_log(const Settings& settings);

}  // namespace boathouse::config
