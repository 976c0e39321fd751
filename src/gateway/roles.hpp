// Who may enter the SQL door: PostgreSQL's own roles, asked anew at each log-in, so that a changed password or a
// revoked membership counts at once.
//
// One connection to the catalog as the box's own role, opened when first needed and again after a failure. find() may
// be called from any thread and blocks on the catalog; callers take turns.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::gateway {

struct Role {
    std::string verifier;     // as pg_authid has it; empty: no password
    bool may_log_in = false;  // LOGIN, and not past its VALID UNTIL
    bool is_lake_admin = false;
};

class Roles {
  public:
    explicit Roles(catalog::Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

    // nullopt: no such role. Fails when the catalog does not answer or does not show its verifiers to the box's role.
    Result<std::optional<Role>> find(const std::string& name);

  private:
    const catalog::Endpoint endpoint_;
    std::mutex mutex_;
    std::optional<catalog::Connection> connection_;  // under mutex_
};

}  // namespace boathouse::gateway
