// The names of PostgreSQL's system relations, asked of itself. Read once at start. Blocking. Errors: those of
// Connection.
#pragma once

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "relay/router.hpp"

namespace boathouse::relay {

Result<Vocabulary> read_vocabulary(catalog::Connection& postgres);

}  // namespace boathouse::relay
