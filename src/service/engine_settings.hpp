// The settings that a process of the engine runs with: from the environment, the extensions' directory found, and where
// each came from as the supervisor told.
//
// Called once, first thing; starts the log. Errors: configuration, not_found (the extensions).
#pragma once

#include "base/error.hpp"
#include "config/load.hpp"

namespace boathouse::service {

Result<config::Loaded> engine_configuration();
Result<config::Settings> engine_settings();  // its settings alone

}  // namespace boathouse::service
