// Who may enter the SQL door: PostgreSQL's own roles, asked anew at each log-in, so that a changed password or a
// revoked membership counts at once.
//
// One connection to the catalog as the box's own role, opened when first needed and again after a failure. find() may
// be called from any thread and blocks on the catalog; callers take turns. try_password() opens a connection of its
// own.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::gateway {

struct Role {
    // Whether the catalog lets the box read verifiers at all. If not, a password has to be tried (try_password).
    bool shows_verifier = false;
    std::string verifier;     // as pg_authid has it; empty: no such role, or no password
    bool may_log_in = false;  // LOGIN, and not past its VALID UNTIL
    // CONNECT on the mirror's database, or, as far as there is none, membership in lake_admin.
    bool may_enter = false;
    // What ALTER ROLE and ALTER DATABASE … SET give its sessions, "name=value", the stronger ones last.
    std::vector<std::string> settings;
};

class Roles {
  public:
    // `mirror_database`: empty where there is no mirror.
    Roles(catalog::Endpoint endpoint, std::string mirror_database)
        : endpoint_(std::move(endpoint)), mirror_database_(std::move(mirror_database)) {}

    // A role that does not exist has no verifier. Fails when the catalog does not answer.
    Result<Role> find(const std::string& name);

    // Logs in at the catalog as that user; nullopt: it refuses. Fails when the catalog does not answer, or lets the
    // user in without asking for the password (pg_hba.conf says "trust"), which proves nothing.
    Result<std::optional<Role>> try_password(const std::string& name, const Secret& password) const;

  private:
    Result<Role> ask(const std::string& name);

    const catalog::Endpoint endpoint_;
    const std::string mirror_database_;
    std::mutex mutex_;
    std::optional<catalog::Connection> connection_;  // under mutex_
    bool shows_verifiers_ = false;                   // under mutex_: of connection_
};

}  // namespace boathouse::gateway
