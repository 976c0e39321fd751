// The object store that holds the lake's files, seen through DuckDB's httpfs.
//
// Private to src/engine/; start-up and `probe` only. Gives DuckDB the key (or the AWS credential chain), then writes,
// reads and deletes one small object under the data path. Blocking: up to about a minute where the store's address
// swallows packets. Errors are store_error.hpp's.
#pragma once

#include <string>

#include "base/error.hpp"
#include "config/settings.hpp"
#include "engine/database.hpp"

namespace boathouse::engine {

// The secret that all of DuckDB's access to this bucket uses. Kept in memory only.
Status create_store_secret(Database& database, const config::Settings& settings, const std::string& data_path);

// One object, "<data_path>.boathouse-probe-<random>": written, read, deleted. Gives how far the store's clock is ahead
// of this machine's, in seconds, to about a second.
Result<double> check_store(Database& database, const config::Settings& settings, const std::string& data_path);

}  // namespace boathouse::engine
