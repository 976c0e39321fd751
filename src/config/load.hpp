// From flags, environment and boathouse.toml to a checked Settings, with where each value came from.
//
// Precedence: flag, then environment, then file, then default; an empty environment variable counts as not set. Every
// complaint is collected and told at once. Secrets have no flag (a command line is public); they come from the
// environment, a file of mode 0600, or POSTGRES_PASSWORD_FILE. Reads the files that are named and nothing else; called
// before any thread exists.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "config/complaint.hpp"
#include "config/settings.hpp"

namespace boathouse::config {

// Option key -> "environment POSTGRES_USER", "flag --listen", "/etc/boathouse/boathouse.toml:12", "default"; for the
// entries of `policy` by policy_origin_key() too, where each has a place of its own.
using Origins = std::map<std::string, std::string>;

struct Loaded {
    Settings settings;
    Origins origins;
    std::vector<std::string> warnings;  // what is probably a mistake and does no harm; the caller logs them
};

// Settings as far as they could be read, and what is wrong with them. For commands that look at a box from outside, and
// must not depend on a configuration that is fit to serve.
struct Reading {
    Loaded loaded;
    std::vector<Complaint> malformed;  // values that could not be read: the settings have their defaults instead
    std::vector<Complaint> unfit;      // what is missing or contradicts

    std::vector<Complaint> complaints() const;  // all of them
};
Reading read(const std::map<std::string, std::string>& flags, const std::map<std::string, std::string>& environment);

// `flags` maps option keys ("catalog_port") to their text; `environment` is the process's. Errors (configuration): one
// message that lists all that is unknown, malformed, out of bounds, missing or contradictory.
Result<Loaded> load(const std::map<std::string, std::string>& flags,
                    const std::map<std::string, std::string>& environment);

// The process's environment as a map.
std::map<std::string, std::string> process_environment();

// The settings as environment variables: load({}, to_environment(s)) gives s again, reads no file and complains of
// nothing, because BOATHOUSE_RESOLVED among them says that all this is done, and where the values came from: a line
// each, "key<tab>origin", or nothing but "1". How the supervisor hands them to the engine.
std::vector<std::pair<std::string, std::string>> to_environment(const Settings& settings, const Origins& origins = {});

}  // namespace boathouse::config
