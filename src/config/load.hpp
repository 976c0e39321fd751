// From flags, environment and boathouse.toml to a checked Settings, with where each value came from.
//
// Precedence: flag, then environment, then file, then default. Every complaint is collected and told at once. Secrets
// have no flag (a command line is public); they come from the environment, a file of mode 0600, or <NAME>_FILE.
// Pure but for reading the files that are named; called once, before any thread exists.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "config/settings.hpp"

namespace boathouse::config {

enum class Origin { default_value, file, environment, flag };

struct Loaded {
    Settings settings;
    std::map<std::string, std::string> origins;  // option key -> "environment POSTGRES_USER", "boathouse.toml:12", …
};

// `flags` maps option keys ("catalog_port") to their text; `environment` is the process's. Errors (configuration): one
// message that lists all that is unknown, malformed, out of bounds, missing or contradictory.
Result<Loaded> load(const std::map<std::string, std::string>& flags,
                    const std::map<std::string, std::string>& environment);

// The process's environment as a map.
std::map<std::string, std::string> process_environment();

// The settings as environment variables: load({}, to_environment(s)) gives s again. How the supervisor hands them to
// the engine.
std::vector<std::pair<std::string, std::string>> to_environment(const Settings& settings);

}  // namespace boathouse::config
