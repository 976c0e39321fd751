// Statements about who may do what with the lake's objects: GRANT and REVOKE, ALTER DEFAULT PRIVILEGES, REASSIGN OWNED,
// ALTER … OWNER TO. PostgreSQL runs them in the mirror, so they name what stands there, and where main is shown as
// public they are changed to say so.
//
// A statement that does anything beside that is none of these. Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace boathouse::syntax {

struct PrivilegeStatement {
    std::string kind;     // PostgreSQL's node tag
    std::string text;     // for the mirror
    std::string refusal;  // why it cannot be had, instead
    std::string hint;
};

// nullopt: another statement, or not one that PostgreSQL's parser takes. `shown_main`: what the mirror calls main.
// `mirror_database`: the only database on which privileges may be granted here.
struct PrivilegeNames {
    std::string shown_main;
    std::string mirror_database;
};
std::optional<PrivilegeStatement> privilege_statement(std::string_view text, const PrivilegeNames& names);

}  // namespace boathouse::syntax
