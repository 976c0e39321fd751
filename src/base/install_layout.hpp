// Where the parts of an installation lie, seen from the executable that asks.
//
// Both executables find each other and DuckDB's extensions relative to themselves, so a prefix can be moved, unpacked
// anywhere or copied into an image, and no path of the machine that built it is compiled in. Two layouts are known:
//
//     build tree   D/boathouse        D/boathouse-engine                         D/extensions/
//     prefix       P/bin/boathouse    P/libexec/boathouse/boathouse-engine       P/lib/boathouse/extensions/
//
// Stateless; any thread may call. The functions that take `self` are for tests and for asking about another
// installation. Errors: not_found, naming every place that was looked at.
#pragma once

#include <filesystem>

#include "base/error.hpp"

namespace boathouse {

// The running executable's absolute path, symbolic links resolved. While an upgrade has replaced the file, the path at
// which the new one lies.
Result<std::filesystem::path> own_executable();

// The file boathouse-engine, for the executable `self`.
Result<std::filesystem::path> engine_executable(const std::filesystem::path& self);
Result<std::filesystem::path> engine_executable();

// The directory that holds v<version>/<platform>/*.duckdb_extension, for the executable `self`.
Result<std::filesystem::path> extension_directory(const std::filesystem::path& self);
Result<std::filesystem::path> extension_directory();

}  // namespace boathouse
