// A trigger on ducklake_metadata that refuses to change, remove or add the lake's `version`.
//
// A newer DuckDB that attaches with AUTOMATIC_MIGRATION would otherwise move the catalog to a version that this box's
// DuckDB, and every client of its age, can never open again. `boathouse migrate` lifts the guard on purpose; a guard
// that was lifted stays so over a restart, which says it in the log. Blocking; one thread a Connection.
#pragma once

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::catalog {

// Creates the guard where it is missing. REQUIRES: the lake's tables exist.
Status install_version_guard(Connection& connection);

enum class GuardState { absent, lifted, active };
Result<GuardState> read_version_guard(Connection& connection);

// Lifts the guard, or puts it back. not_found when it was never installed.
Status set_version_guard(Connection& connection, bool active);

}  // namespace boathouse::catalog
