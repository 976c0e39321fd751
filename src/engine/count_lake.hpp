// Every table of a lake, read through DuckDB: what `boathouse backup verify` and a deep restore ask
// `boathouse-engine count-lake` and `read-lake` for.
//
// Called once by the main thread of a process of its own, on a catalog that nobody else uses; the lake is opened
// read-only. Errors: unavailable (the lake does not open), corrupt (a table cannot be read, which is named).
#pragma once

#include <string>

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "config/settings.hpp"

namespace boathouse::engine {

enum class ReadDepth {
    rows,    // counts them, from the files' footers where those say it
    values,  // reads every value of every column
};

// [{"schema": …, "table": …, "rows": …}, …]
Result<std::string> count_lake(const config::Settings& settings, const catalog::Endpoint& endpoint, ReadDepth depth);

}  // namespace boathouse::engine
