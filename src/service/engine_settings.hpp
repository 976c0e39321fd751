// The settings that a process of the engine runs with: from the environment, the extensions' directory found.
//
// Called once, first thing; starts the log. Errors: configuration, not_found (the extensions).
#pragma once

#include "base/error.hpp"
#include "config/settings.hpp"

namespace boathouse::service {

Result<config::Settings> engine_settings();

}  // namespace boathouse::service
