#include "relay/router.hpp"

#include <algorithm>
#include <array>

namespace boathouse::relay {

using engine::QueryError;
using syntax::Function;
using syntax::Relation;
using syntax::Statement;

namespace {

constexpr std::string_view kCatalog = "pg_catalog";
constexpr std::string_view kInformation = "information_schema";

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// Whose answer is about the server, the roles or the catalogs. DuckDB has some of the names, with answers about itself.
bool asks_the_catalogs(std::string_view name) {
    static constexpr std::array<std::string_view, 16> kNames{
        "ts_token_type",       "format_type",      "obj_description",  "col_description",
        "shobj_description",   "version",          "current_schema",   "current_schemas",
        "inet_server_addr",    "inet_server_port", "inet_client_addr", "inet_client_port",
        "row_security_active", "acldefault",       "aclexplode",       "makeaclitem"};
    // Of values, not of catalogs.
    static constexpr std::array<std::string_view, 3> kOfValues{"pg_typeof", "pg_size_pretty", "pg_size_bytes"};
    if (contains(kOfValues, name)) return false;
    const bool privilege = name.starts_with("has_") && name.ends_with("_privilege");
    return contains(kNames, name) || privilege || name.starts_with("pg_") || name.starts_with("to_reg") ||
           name.starts_with("txid_");
}

// Who the client is and where, which DuckDB answers too (engine/postgres_macros.cpp): such a statement goes where the
// rest of it wants it to go.
bool asks_for_the_client(std::string_view name) {
    static constexpr std::array<std::string_view, 6> kNames{"current_user", "session_user",     "current_role",
                                                            "user",         "current_database", "current_catalog"};
    return contains(kNames, name);
}

// Types whose values are the catalogs' objects.
bool is_catalog_type(const syntax::Type& type) {
    static constexpr std::array<std::string_view, 12> kNames{
        "regclass", "regproc",     "regprocedure", "regtype",       "regrole",      "regnamespace",
        "regoper",  "regoperator", "regconfig",    "regdictionary", "regcollation", "aclitem"};
    return (type.schema.empty() || type.schema == kCatalog) && contains(kNames, type.name);
}

// Types that DuckDB takes for others: a client that only names one wants PostgreSQL's.
bool is_plain_catalog_type(const syntax::Type& type) {
    return (type.schema.empty() || type.schema == kCatalog) && (type.name == "oid" || type.name == "name");
}

// PostgreSQL looks into pg_catalog first, unless the path says when.
bool is_system_relation(const Relation& relation, const Vocabulary& vocabulary,
                        const std::vector<std::string>& search_path) {
    if (relation.schema == kCatalog || relation.schema == kInformation) return true;
    if (!relation.schema.empty()) return false;
    const auto in = [&](std::string_view schema) {
        if (schema == kCatalog) return vocabulary.catalog_relations.contains(relation.name);
        return schema == kInformation && vocabulary.information_relations.contains(relation.name);
    };
    const bool says_when = std::find(search_path.begin(), search_path.end(), kCatalog) != search_path.end();
    if (!says_when && in(kCatalog)) return true;
    return std::any_of(search_path.begin(), search_path.end(), in);
}

const Function* find_catalog_function(const Statement& statement) {
    const auto found =
        std::find_if(statement.functions.begin(), statement.functions.end(), [](const Function& function) {
            if (function.schema == kInformation) return true;
            return (function.schema.empty() || function.schema == kCatalog) && asks_the_catalogs(function.name);
        });
    return found == statement.functions.end() ? nullptr : &*found;
}

// DuckDB's description of itself, and DuckLake's of the lake.
const Function* find_duckdb_function(const Statement& statement) {
    const auto found =
        std::find_if(statement.functions.begin(), statement.functions.end(), [](const Function& function) {
            return function.name.starts_with("duckdb_") || function.name.starts_with("ducklake_");
        });
    return found == statement.functions.end() ? nullptr : &*found;
}

// All that the statement asks is who the client is.
bool asks_only_for_the_client(const Statement& statement) {
    return !statement.functions.empty() &&
           std::all_of(statement.functions.begin(), statement.functions.end(),
                       [](const Function& function) { return asks_for_the_client(function.name); });
}

const syntax::Type* find_catalog_type(const Statement& statement) {
    const auto found = std::find_if(statement.types.begin(), statement.types.end(), is_catalog_type);
    return found == statement.types.end() ? nullptr : &*found;
}

bool names_only_plain_catalog_types(const Statement& statement) {
    return statement.functions.empty() && !statement.types.empty() &&
           std::all_of(statement.types.begin(), statement.types.end(), is_plain_catalog_type);
}

Route refuse(std::string reason, QueryError error) {
    return {Brain::duckdb, false, std::move(reason), std::move(error)};
}

std::string full_name(const Relation& relation) {
    return relation.schema.empty() ? relation.name : relation.schema + "." + relation.name;
}

Route refuse_mixture(const std::string& of_postgres, const std::string& of_the_lake, std::size_t offset) {
    QueryError error{"0A000", of_postgres + " and the lake's " + of_the_lake + " cannot stand in one statement"};
    error.hint = "PostgreSQL answers for the system catalogs, DuckDB for the lake. Ask each by itself.";
    error.position = offset + 1;
    return refuse("refused: " + of_postgres + " with " + of_the_lake, std::move(error));
}

// Roles are the whole server's: what is done to them in the mirror outlasts it.
bool changes_roles(std::string_view kind) {
    static constexpr std::array<std::string_view, 5> kKinds{"CreateRoleStmt", "AlterRoleStmt", "AlterRoleSetStmt",
                                                            "DropRoleStmt", "GrantRoleStmt"};
    return contains(kKinds, kind);
}

// `system` is a relation of PostgreSQL's, `lake` one of the lake's or null.
Route route_catalog(const Statement& statement, const Relation& system, const Relation* lake) {
    if (system.written) {
        return refuse("refused: writes a system catalog",
                      {"42501", "permission denied: \"" + system.name + "\" is a system catalog"});
    }
    if (lake != nullptr) return refuse_mixture(full_name(system), "\"" + full_name(*lake) + "\"", system.offset);
    if (statement.kind != "SelectStmt" && statement.kind != "ExplainStmt")
        return refuse_mixture(full_name(system), "own objects", system.offset);
    return {Brain::postgres, false, "postgres: relation " + full_name(system), {}};
}

}  // namespace

Route route(const Statement& statement, const Vocabulary& vocabulary, const std::vector<std::string>& search_path) {
    if (changes_roles(statement.kind)) return {Brain::postgres, true, "postgres: " + std::string(statement.kind), {}};
    const Relation* system = nullptr;
    const Relation* lake = nullptr;
    for (const Relation& relation : statement.relations) {
        const Relation*& of = is_system_relation(relation, vocabulary, search_path) ? system : lake;
        if (of == nullptr) of = &relation;
    }
    if (system != nullptr) return route_catalog(statement, *system, lake);
    if (lake != nullptr) {
        const Function* function = find_catalog_function(statement);
        if (function != nullptr)
            return refuse_mixture(function->name + "()", "\"" + full_name(*lake) + "\"", function->offset);
        if (const syntax::Type* type = find_catalog_type(statement))
            return refuse_mixture("type " + type->name, "\"" + full_name(*lake) + "\"", type->offset);
        return {Brain::duckdb, false, "duckdb: relation " + full_name(*lake), {}};
    }
    if (statement.kind != "SelectStmt" && statement.kind != "ExplainStmt")
        return {Brain::duckdb, false, "duckdb: " + std::string(statement.kind), {}};
    if (const Function* function = find_duckdb_function(statement))
        return {Brain::duckdb, false, "duckdb: function " + function->name, {}};
    if (const Function* function = find_catalog_function(statement))
        return {Brain::postgres, false, "postgres: function " + function->name, {}};
    if (asks_only_for_the_client(statement))
        return {Brain::postgres, false, "postgres: function " + statement.functions.front().name, {}};
    if (const syntax::Type* type = find_catalog_type(statement))
        return {Brain::postgres, false, "postgres: type " + type->name, {}};
    if (names_only_plain_catalog_types(statement))
        return {Brain::postgres, false, "postgres: type " + statement.types.front().name, {}};
    return {Brain::duckdb, false, "duckdb: no relation", {}};
}

bool may_be_postgres(std::string_view text) {
    static constexpr std::array<std::string_view, 22> kWords{
        "owner", "role",         "grant",    "revoke", " owned",  "ts_token_type", "pg_",         "information_schema",
        "reg",   "has_",         "current_", "user",   "version", "_description",  "format_type", "txid_",
        "inet_", "row_security", "acl",      "oid",    "name",    "u&\""};
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + ('a' - 'A')) : byte; });
    return std::any_of(kWords.begin(), kWords.end(),
                       [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

}  // namespace boathouse::relay
