// Which of the clusters in a data directory is in use: `postgres`; the others lie beside it and are nobody's.
//
// postgres.new        being made; the next start of the box removes it
// postgres.upgraded   made and compared, or, where a swap was cut short, the old one; settle() finds out
// postgres.15         set aside after an upgrade, named after its version
//
// One cluster takes the other's place by one exchange of names (renameat2, RENAME_EXCHANGE): there is no moment without
// a cluster in use. REQUIRES: the data directory's lock, and no PostgreSQL on any of them. One thread.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"

namespace boathouse::upgrade {

// The name under which a cluster is set aside: "<pgdata>.15".
std::string set_aside_name(const std::string& pgdata, int major);

// Ends a swap that was cut short, and removes a cluster that never came into use. Says what it did, if anything.
Result<std::string> settle(const std::string& pgdata);

// `postgres.new` comes into use, and the old one is set aside under its version. Errors: conflict (that name is taken),
// unavailable (the file system cannot exchange two names).
Status put_in_use(const std::string& pgdata);

// The version that was set aside; nothing where there is none. Errors: conflict (several).
Result<std::optional<int>> version_set_aside(const std::string& pgdata);

// That one comes into use again, and the present one is set aside.
Status go_back(const std::string& pgdata, int major);

}  // namespace boathouse::upgrade
