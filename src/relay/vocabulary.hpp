// The names that the two brains know, asked of themselves: of PostgreSQL its system relations and functions, of DuckDB
// its functions. Read once at start. Blocking. Errors: those of Connection and of DuckDB.
#pragma once

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "engine/lake.hpp"
#include "relay/router.hpp"

namespace boathouse::relay {

Result<Vocabulary> read_vocabulary(catalog::Connection& postgres, engine::Lake& lake);

}  // namespace boathouse::relay
