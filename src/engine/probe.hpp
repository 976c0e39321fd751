// What `boathouse-engine probe` finds, for `boathouse doctor`: whether DuckDB starts with its extensions, whether the
// data path can be read and written from here, whether the lake opens. Changes nothing, creates nothing.
//
// Called once by the main thread of a process of its own. Every finding stands for itself: one failure does not hide
// the next.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "config/settings.hpp"

namespace boathouse::engine {

struct ProbeReport {
    struct Extension {
        std::string name;
        std::string version;
    };

    Status duckdb;  // starts, with all extensions
    std::vector<Extension> extensions;

    Status lake;  // attaches, and answers a query
    std::string lake_version;
    long long snapshot = 0;

    Status data_path;                      // takes, gives back and deletes a file
    double store_clock_ahead_seconds = 0;  // of an object store's clock against this machine's
    std::string data_path_text;            // as the catalog says, else as configured
};

ProbeReport probe(const config::Settings& settings, const catalog::Endpoint& endpoint);

// {"duckdb": {"ok": …, "version": …}, "extensions": […], "lake": {…}, "data_path": {…}}; a failure has "error" and
// "hint".
std::string to_json(const ProbeReport& report);

}  // namespace boathouse::engine
