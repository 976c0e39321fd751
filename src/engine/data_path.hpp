// The lake's data path: whether it is what the catalog says, and whether a local one can be written and read.
//
// Checked before the lake is created or opened, so that a wrong path is told at start and not at the first insert.
// Blocking, start-up only; knows nothing of DuckDB. The check of an object store is store.hpp's.
#pragma once

#include <string>

#include "base/error.hpp"

namespace boathouse::engine {

bool is_object_store(const std::string& data_path);

// As DuckLake stores it: local paths without "." and "..", every path with '/' at its end.
std::string normalized_data_path(const std::string& data_path);

// Errors: configuration, naming both paths and the ways out, when the catalog's differs from the configured one.
Status check_same_data_path(const std::string& stored, const std::string& configured);

// Errors: permission, limit (full disk), configuration (not a directory).
Status create_local_directory(const std::string& data_path);

// Writes, reads and lists in the directory, leaving nothing behind. Errors: as above, and not_found.
Status check_local_directory(const std::string& data_path);

}  // namespace boathouse::engine
