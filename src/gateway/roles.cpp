#include "gateway/roles.hpp"

namespace boathouse::gateway {

namespace {

constexpr const char* kQuery =
    "SELECT coalesce(rolpassword, ''),"
    " rolcanlogin AND (rolvaliduntil IS NULL OR rolvaliduntil > now()),"
    " pg_has_role(oid, 'lake_admin', 'MEMBER')"
    " FROM pg_catalog.pg_authid WHERE rolname = $1";

}  // namespace

Result<std::optional<Role>> Roles::find(const std::string& name) {
    const std::lock_guard lock(mutex_);
    // A connection that lay idle may have been closed by the catalog's restart: one more try, on a new one.
    for (const bool last : {false, true}) {
        if (!connection_) {
            auto opened = catalog::Connection::open(endpoint_);
            if (!opened) return opened.error();
            connection_.emplace(std::move(*opened));
        }
        auto rows = connection_->query(kQuery, {name});
        if (rows) {
            if (rows->empty()) return std::optional<Role>();
            const catalog::Row& row = rows->front();
            return std::optional<Role>(Role{row[0].value_or(""), row[1] == "t", row[2] == "t"});
        }
        connection_.reset();
        if (last) return rows.error();
    }
    return std::optional<Role>();
}

}  // namespace boathouse::gateway
