#include "access/acl.hpp"

#include <algorithm>

namespace boathouse::access {

namespace {

bool is_granted(const RoleFacts& role, const Grants& grants, Privilege privilege) {
    return std::any_of(grants.begin(), grants.end(), [&](const Grant& grant) {
        return grant.privilege == privilege && (grant.grantee == kPublic || role.roles.contains(grant.grantee));
    });
}

// Granted on every table there is.
bool has_everywhere(const RoleFacts& role, Privilege privilege) {
    if (role.may_do_everything()) return true;
    if (privilege == Privilege::select) return role.reads_all;
    const bool writes =
        privilege == Privilege::insert || privilege == Privilege::update || privilege == Privilege::remove;
    return writes && role.writes_all;
}

}  // namespace

Privilege privilege_named(std::string_view word) {
    if (word == "SELECT") return Privilege::select;
    if (word == "INSERT") return Privilege::insert;
    if (word == "UPDATE") return Privilege::update;
    if (word == "DELETE") return Privilege::remove;
    if (word == "TRUNCATE") return Privilege::truncate;
    if (word == "USAGE") return Privilege::usage;
    if (word == "CREATE") return Privilege::create;
    return Privilege::none;
}

bool owns(const RoleFacts& role, Oid owner) {
    return role.may_do_everything() || role.roles.contains(owner);
}

bool has_privilege(const RoleFacts& role, const SchemaFacts& schema, Privilege privilege) {
    if (role.may_do_everything()) return true;
    if (privilege == Privilege::usage && (role.reads_all || role.writes_all)) return true;
    return is_granted(role, schema.grants, privilege);
}

bool has_privilege(const RoleFacts& role, const RelationFacts& relation, Privilege privilege) {
    return has_everywhere(role, privilege) || is_granted(role, relation.grants, privilege);
}

bool has_column_privilege(const RoleFacts& role, const RelationFacts& relation, std::string_view column,
                          Privilege privilege) {
    if (has_privilege(role, relation, privilege)) return true;
    const auto own = relation.columns.find(column);
    return own != relation.columns.end() && is_granted(role, own->second, privilege);
}

bool has_any_column_privilege(const RoleFacts& role, const RelationFacts& relation, Privilege privilege) {
    if (has_privilege(role, relation, privilege)) return true;
    return std::any_of(relation.columns.begin(), relation.columns.end(),
                       [&](const auto& column) { return is_granted(role, column.second, privilege); });
}

}  // namespace boathouse::access
