// Which brain answers a statement: DuckDB, that has the lake, or PostgreSQL, that has the mirror.
//
// By PostgreSQL's parse tree and its rules for names. Relations of pg_catalog and information_schema are PostgreSQL's,
// every other relation is DuckDB's; a statement with both is refused, because neither could answer it. Without
// relations DuckDB answers, unless a function or a type is about the catalogs (pg_get_viewdef, regclass). What
// PostgreSQL's parser does not take is DuckDB's grammar. Statements about roles are PostgreSQL's; those about
// privileges are too, and told apart before they come here (syntax/privilege_statement.hpp). Pure functions over what
// Vocabulary holds; any thread.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/query_error.hpp"
#include "syntax/parse_tree.hpp"

namespace boathouse::relay {

using NameSet = std::set<std::string, std::less<>>;

// PostgreSQL's system relations, as it says itself.
struct Vocabulary {
    NameSet catalog_relations;      // of pg_catalog
    NameSet information_relations;  // of information_schema
};

enum class Brain { duckdb, postgres };

struct Route {
    Brain brain = Brain::duckdb;
    bool changes_roles = false;  // CREATE ROLE and its kin, which PostgreSQL runs in the mirror
    std::string reason;          // for people: SHOW boathouse.last_route, the log
    std::optional<engine::QueryError> refusal;
};

// `search_path` as the client has set it, without quotes.
Route route(const syntax::Statement& statement, const Vocabulary& vocabulary,
            const std::vector<std::string>& search_path);

// False: no route() of this text leads to PostgreSQL, as long as information_schema is not on the search_path. Costs a
// look at the text, where route() needs a parse tree; nearly all statements on the lake's tables stop here.
bool may_be_postgres(std::string_view text);

}  // namespace boathouse::relay
