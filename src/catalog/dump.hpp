// A copy of the catalog's database as pg_dump makes it (custom format: `pg_restore` reads it), before something is done
// to the catalog that cannot be undone.
//
// Runs pg_dump as a child, which reads one consistent snapshot while clients go on. Blocking, for as long as that
// takes; call it from a program with one thread. What pg_dump says goes to standard error.
#pragma once

#include <string>

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::catalog {

struct DumpTarget {
    std::string pg_dump;  // the program, of the server's major version or newer
    std::string file;     // must not exist; created with mode 0600
};

// Errors: conflict (the file exists), permission (it cannot be created), unavailable (pg_dump failed; no file is left).
Status dump_database(const Endpoint& endpoint, const DumpTarget& target);

}  // namespace boathouse::catalog
