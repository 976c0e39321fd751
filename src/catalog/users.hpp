// The people and programs that may enter the lake: PostgreSQL's login roles with one of the group roles.
//
// A user's lake role is the strongest of lake_reader, lake_writer and lake_admin that it is a member of. What is done
// here holds at once on every door, because every door asks PostgreSQL. Roles that are not of this kind (the group
// roles themselves, the box's own superuser, POSTGRES_USER) are refused where a change would break the box.
//
// Functions over a Connection of the box or of a role that may create roles; blocking; one thread a Connection.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "catalog/connection.hpp"

namespace boathouse::catalog {

struct User {
    std::string name;
    std::string lake_role;  // "reader", "writer", "admin"; "none": may log in, but not into the lake
    bool is_owner = false;  // POSTGRES_USER: may hand out the group roles
};

// By name, without superusers.
Result<std::vector<User>> list_users(Connection& connection);

struct NewUser {
    std::string name;
    std::string lake_role;  // "none": may enter the SQL door, and do there what GRANT says
    Secret password;
    std::string mirror_database = {};  // whose CONNECT privilege lets it in; empty: an external catalog has none
};

// Errors: conflict (the role exists), configuration (a reserved name), permission.
Status add_user(Connection& connection, const NewUser& user);

// not_found: no such user.
Status set_user_password(Connection& connection, const std::string& name, const Secret& password);

// Ends the user's sessions, hands what it owns in any database to that database's owner, and drops the role. A lake's
// tables belong to the group roles, so nothing of the lake goes with its maker. `endpoint` says how to reach the other
// databases. Errors: not_found, conflict (the owner, the box's own roles).
Status remove_user(Connection& connection, const Endpoint& endpoint, const std::string& name);

}  // namespace boathouse::catalog
