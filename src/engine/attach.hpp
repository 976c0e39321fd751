// The lake's ATTACH statement, for the engine and for `probe`. Private to src/engine/.
#pragma once

#include <string>

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "engine/database.hpp"

namespace boathouse::engine {

enum class AttachMode {
    create,  // the catalog is empty: makes a lake at `data_path`
    create_encrypted,
    open,       // the lake that is there
    read_only,  // the same, for looking only
};

// The same, but that a dead or silent server is noticed within half a minute, and not after the kernel's two hours.
catalog::Endpoint bounded(catalog::Endpoint endpoint);

// Attaches the lake as "lake". Errors: unavailable, with PostgreSQL's words.
Status attach(Database& database, const catalog::Endpoint& endpoint, AttachMode mode,
              const std::string& data_path = "");

}  // namespace boathouse::engine
