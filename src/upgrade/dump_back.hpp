// The lake's catalog out of a dump that `boathouse migrate --allow` has made, in the place of the one that is there.
//
// The dump is restored into a database of its own, and only then two renames in one transaction put it in use; what
// was there keeps its content under another name. One thread, as the box's user. REQUIRES: the data directory's lock,
// and no PostgreSQL on its cluster.
#pragma once

#include <string>

#include "base/error.hpp"
#include "config/settings.hpp"
#include "supervisor/postgres_installation.hpp"

namespace boathouse::upgrade {

struct DumpBackOptions {
    config::Settings settings;
    supervisor::PostgresInstallation postgres;
    std::string os_user;  // who this process is
    std::string dump;     // in pg_dump's custom format
};

// The name under which the present catalog is kept. Errors: not_found (no dump, no pg_restore), corrupt (the dump is
// damaged, or holds no lake), conflict (a catalog is kept under that name already).
Result<std::string> bring_back(const DumpBackOptions& options);

}  // namespace boathouse::upgrade
