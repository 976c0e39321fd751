// The box's own cluster, moved to a newer major version of PostgreSQL by dump and restore.
//
// A new cluster is made beside the old one, both run on private sockets, roles and databases go from one to the other
// through pg_dump and psql without a file in between, what the two hold is compared, and only then one exchange of
// names puts the new one in use (swap.hpp). Until then the old cluster is what the box starts with, whatever happens
// here, and afterwards it is set aside whole. The mirror is left out: the box makes it anew, with its privileges.
//
// One thread, as the box's user. REQUIRES: the data directory's lock, and no PostgreSQL on its cluster.
#pragma once

#include <functional>
#include <string>

#include "base/error.hpp"
#include "config/settings.hpp"
#include "supervisor/postgres_installation.hpp"

namespace boathouse::upgrade {

struct UpgradeOptions {
    config::Settings settings;
    supervisor::PostgresInstallation from;
    supervisor::PostgresInstallation to;
    std::string os_user;                           // who this process is
    std::function<void(const std::string&)> tell;  // each step, when it begins
};

// Errors: limit (no room for a second cluster), conflict (what the two hold differs; an earlier cluster is set aside
// under the same name), unavailable (a program failed, with what it said).
Status upgrade(const UpgradeOptions& options);

}  // namespace boathouse::upgrade
