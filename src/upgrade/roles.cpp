#include "upgrade/roles.hpp"

#include <sstream>

namespace boathouse::upgrade {
namespace {

// A role that is a member of the other already keeps how; a new membership is for administration alone.
constexpr const char* kAdministration = R"sql(
SELECT format('GRANT %I TO %I WITH ADMIN TRUE', role.rolname, maker.rolname)
       || CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE m.roleid = role.oid AND m.member = maker.oid)
               THEN '' ELSE ', INHERIT FALSE, SET FALSE' END
  FROM pg_catalog.pg_roles maker, pg_catalog.pg_roles role
 WHERE maker.rolcreaterole AND NOT maker.rolsuper AND NOT role.rolsuper AND NOT role.rolcreaterole
   AND role.oid <> maker.oid AND NOT pg_catalog.starts_with(role.rolname, 'pg_')
   AND role.rolname NOT IN ('boathouse_engine', 'boathouse_mirror')
   AND NOT pg_catalog.pg_has_role(role.oid, maker.oid, 'MEMBER')
 ORDER BY 1)sql";

}  // namespace

std::string portable_roles(const std::string& dumped, int from_major) {
    std::istringstream lines(dumped);
    std::string out;
    for (std::string line; std::getline(lines, line);) {
        if (line == "CREATE ROLE boathouse;") continue;
        if (from_major < kMajorOfStrictGrants && line.starts_with("GRANT ") && line.ends_with(";")) {
            if (const auto by = line.rfind(" GRANTED BY "); by != std::string::npos) line = line.substr(0, by) + ";";
        }
        out += line + "\n";
    }
    return out;
}

Status keep_role_administration(catalog::Connection& superuser) {
    const auto grants = superuser.query(kAdministration);
    if (!grants) return grants.error();
    for (const catalog::Row& row : *grants) {
        if (auto granted = superuser.execute(row[0].value_or("")); !granted) return granted;
    }
    return {};
}

}  // namespace boathouse::upgrade
