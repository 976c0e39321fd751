// PostgreSQL's privileges as data: who has been granted what on one object, and which roles a role acts with.
//
// The rules are those of PostgreSQL's aclmask() and pg_class_aclmask()
// (https://www.postgresql.org/docs/15/ddl-priv.html): what any of a role's roles or PUBLIC was granted, it has; a
// superuser has everything; pg_read_all_data and pg_write_all_data stand for grants on every table. They are kept here,
// and not asked of has_table_privilege() each time, because only rows read in one snapshot can be remembered for
// exactly as long as they are true (facts.hpp). One rule is the lake's own: a member of lake_admin may do everything in
// the lake, as on the catalog's port.
//
// Plain data and pure functions; any thread; nothing fails.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace boathouse::access {

using Oid = std::uint32_t;
inline constexpr Oid kPublic = 0;

enum class Privilege : std::uint8_t { none, select, insert, update, remove, truncate, usage, create };

// "DELETE" -> remove. `none` for those that mean nothing in a lake (REFERENCES, TRIGGER).
Privilege privilege_named(std::string_view word);

struct Grant {
    Oid grantee = kPublic;
    Privilege privilege = Privilege::none;

    bool operator==(const Grant&) const = default;
};
using Grants = std::vector<Grant>;

// The roles that a role acts with: itself, and those whose rights it inherits.
struct RoleFacts {
    std::set<Oid> roles;
    bool is_superuser = false;
    bool is_lake_admin = false;
    bool reads_all = false;   // pg_read_all_data
    bool writes_all = false;  // pg_write_all_data

    bool may_do_everything() const { return is_superuser || is_lake_admin; }
};

struct SchemaFacts {
    std::string name;  // in the mirror
    Oid owner = 0;
    Grants grants;
};

struct RelationFacts {
    bool is_view = false;
    Oid owner = 0;
    std::string owner_name;
    Grants grants;
    std::map<std::string, Grants, std::less<>> columns;  // by the lake's names; those with grants of their own
    SchemaFacts schema;
};

bool owns(const RoleFacts& role, Oid owner);
bool has_privilege(const RoleFacts& role, const SchemaFacts& schema, Privilege privilege);
// On the relation as a whole.
bool has_privilege(const RoleFacts& role, const RelationFacts& relation, Privilege privilege);
bool has_column_privilege(const RoleFacts& role, const RelationFacts& relation, std::string_view column,
                          Privilege privilege);
bool has_any_column_privilege(const RoleFacts& role, const RelationFacts& relation, Privilege privilege);

}  // namespace boathouse::access
