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

// Whose answer is about the server, the session, the roles or the catalogs. DuckDB has some of the names, with answers
// about itself.
bool asks_the_catalogs(std::string_view name) {
    static constexpr std::array<std::string_view, 17> kNames{"format_type",
                                                             "obj_description",
                                                             "col_description",
                                                             "version",
                                                             "current_schema",
                                                             "current_schemas",
                                                             "current_database",
                                                             "current_catalog",
                                                             "current_user",
                                                             "current_role",
                                                             "user",
                                                             "session_user",
                                                             "shobj_description",
                                                             "inet_server_addr",
                                                             "inet_server_port",
                                                             "inet_client_addr",
                                                             "row_security_active"};
    // Of values, not of catalogs.
    static constexpr std::array<std::string_view, 3> kOfValues{"pg_typeof", "pg_size_pretty", "pg_sleep"};
    if (contains(kOfValues, name)) return false;
    const bool privilege = name.starts_with("has_") && name.ends_with("_privilege");
    return contains(kNames, name) || privilege || name.starts_with("pg_") || name.starts_with("to_reg") ||
           name.starts_with("txid_");
}

bool is_catalog_type(const syntax::Type& type) {
    static constexpr std::array<std::string_view, 14> kNames{
        "regclass",    "regproc",   "regprocedure",  "regtype",      "regrole", "regnamespace", "regoper",
        "regoperator", "regconfig", "regdictionary", "regcollation", "oid",     "name",         "aclitem"};
    return (type.schema.empty() || type.schema == kCatalog) && contains(kNames, type.name);
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

// A function that only one brain has, or whose answer only PostgreSQL knows; null if there is none.
const Function* find_postgres_function(const Statement& statement, const Vocabulary& vocabulary) {
    for (const Function& function : statement.functions) {
        // The session's own settings, wherever they are asked for (engine/setting_functions.hpp).
        if (function.name == "current_setting" || function.name == "set_config") continue;
        const bool known = vocabulary.postgres_functions.contains(function.name) || asks_the_catalogs(function.name);
        if (!known || (!function.schema.empty() && function.schema != kCatalog)) continue;
        if (function.schema == kInformation) return &function;
        if (asks_the_catalogs(function.name) || !vocabulary.duckdb_functions.contains(function.name)) return &function;
    }
    return nullptr;
}

const Function* find_catalog_function(const Statement& statement) {
    for (const Function& function : statement.functions) {
        if ((function.schema.empty() || function.schema == kCatalog) && asks_the_catalogs(function.name))
            return &function;
    }
    return nullptr;
}

const syntax::Type* find_catalog_type(const Statement& statement) {
    const auto found = std::find_if(statement.types.begin(), statement.types.end(), is_catalog_type);
    return found == statement.types.end() ? nullptr : &*found;
}

Route refuse(std::string reason, QueryError error) {
    return {Brain::duckdb, std::move(reason), std::move(error)};
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

// `system` is a relation of PostgreSQL's, `lake` one of the lake's or null.
Route route_catalog(const Statement& statement, const Relation& system, const Relation* lake) {
    if (system.written) {
        return refuse("refused: writes a system catalog",
                      {"42501", "permission denied: \"" + system.name + "\" is a system catalog"});
    }
    if (lake != nullptr) return refuse_mixture(full_name(system), "\"" + full_name(*lake) + "\"", system.offset);
    if (statement.kind != "SelectStmt" && statement.kind != "ExplainStmt")
        return refuse_mixture(full_name(system), "own objects", system.offset);
    return {Brain::postgres, "postgres: relation " + full_name(system), std::nullopt};
}

}  // namespace

Route route(const Statement& statement, const Vocabulary& vocabulary, const std::vector<std::string>& search_path) {
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
        if (const syntax::Type* type = find_catalog_type(statement); type && type->name.starts_with("reg"))
            return refuse_mixture("type " + type->name, "\"" + full_name(*lake) + "\"", type->offset);
        return {Brain::duckdb, "duckdb: relation " + full_name(*lake), std::nullopt};
    }
    if (statement.kind != "SelectStmt" && statement.kind != "ExplainStmt")
        return {Brain::duckdb, "duckdb: " + std::string(statement.kind), std::nullopt};
    if (const Function* function = find_postgres_function(statement, vocabulary))
        return {Brain::postgres, "postgres: function " + function->name, std::nullopt};
    if (const syntax::Type* type = find_catalog_type(statement))
        return {Brain::postgres, "postgres: type " + type->name, std::nullopt};
    return {Brain::duckdb, "duckdb: no relation", std::nullopt};
}

}  // namespace boathouse::relay
