#include "keeper/policy.hpp"

#include <boost/json.hpp>

#include "base/log.hpp"

namespace boathouse::keeper {
namespace {

using config::find_policy;
using config::kPolicyOff;
using config::PolicyRow;

// Where DuckLake keeps an option: its scope's name and the schema's or table's number; nullopt for the lake.
struct LakeScope {
    std::optional<std::string> name;
    std::optional<std::string> id;
};

Result<LakeScope> find_scope(catalog::Connection& lake, const Scope& scope) {
    if (scope.schema.empty()) return LakeScope{};
    auto rows = scope.table.empty()
                    ? lake.query(
                          "SELECT schema_id FROM public.ducklake_schema WHERE end_snapshot IS NULL AND "
                          "schema_name = $1",
                          {scope.schema})
                    : lake.query(
                          "SELECT t.table_id FROM public.ducklake_table t JOIN public.ducklake_schema s "
                          "ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL "
                          "WHERE t.end_snapshot IS NULL AND s.schema_name = $1 AND t.table_name = $2",
                          {scope.schema, scope.table});
    if (!rows) return rows.error();
    if (rows->empty()) return Error{ErrorKind::not_found, "the lake has no " + to_text(scope), "", ""};
    return LakeScope{scope.table.empty() ? "schema" : "table", rows->front().front()};
}

Status remove_lake_option(catalog::Connection& lake, const PolicyRow& row, const LakeScope& scope) {
    if (row.lake_option.empty()) return {};
    auto removed = lake.query(
        "DELETE FROM public.ducklake_metadata WHERE key = $1 AND scope IS NOT DISTINCT FROM $2 "
        "AND scope_id IS NOT DISTINCT FROM $3::bigint",
        {std::string(row.lake_option), scope.name, scope.id});
    return removed ? Status() : Status(removed.error());
}

Status remove_box_row(catalog::Connection& box, std::string_view key, const Scope& scope) {
    auto removed = box.query("DELETE FROM keeper.policy WHERE key = $1 AND schema_name = $2 AND table_name = $3",
                             {std::string(key), scope.schema, scope.table});
    return removed ? Status() : Status(removed.error());
}

// As DuckLake stores it: sizes in bytes.
std::string stored_text(const PolicyRow& row, const std::string& value) {
    if (row.kind != config::PolicyKind::bytes) return value;
    return fmt::format("{:.0f}", *config::parse_bytes(value));
}

Status put_lake_option(catalog::Connection& lake, const PolicyRow& row, const LakeScope& scope,
                       const std::string& value) {
    if (auto removed = remove_lake_option(lake, row, scope); !removed) return removed;
    auto put = lake.query("INSERT INTO public.ducklake_metadata (key, value, scope, scope_id) VALUES ($1, $2, $3, $4)",
                          {std::string(row.lake_option), stored_text(row, value), scope.name, scope.id});
    return put ? Status() : Status(put.error());
}

}  // namespace

const PolicySetting* Policies::find(std::string_view key, const Scope& scope) const {
    for (const Scope& level : {scope, Scope{scope.schema}, Scope{}}) {
        for (const PolicySetting& setting : settings_) {
            if (setting.key == key && setting.scope == level) return &setting;
        }
    }
    return nullptr;
}

std::string Policies::text(std::string_view key, const Scope& scope) const {
    if (const PolicySetting* found = find(key, scope)) return found->value;
    const PolicyRow* row = find_policy(key);
    return std::string(row == nullptr ? kPolicyOff : row->default_text);
}

std::string Policies::origin(std::string_view key, const Scope& scope) const {
    const PolicySetting* found = find(key, scope);
    return found == nullptr ? "default" : found->origin;
}

std::vector<PolicySetting> Policies::for_parts() const {
    std::vector<PolicySetting> out;
    for (const PolicySetting& setting : settings_) {
        if (!setting.scope.schema.empty() && find(setting.key, setting.scope) == &setting) out.push_back(setting);
    }
    return out;
}

std::optional<double> Policies::value(std::string_view key, const Scope& scope) const {
    const std::string found = text(key, scope);
    const PolicyRow* row = find_policy(key);
    if (row == nullptr || found == kPolicyOff) return std::nullopt;
    const auto parsed = config::parse_policy(*row, found);
    return parsed ? std::optional(*parsed) : std::nullopt;
}

Result<Policies> read_policies(Databases databases) {
    auto own = databases.box.query("SELECT key, schema_name, table_name, value FROM keeper.policy");
    if (!own) return own.error();
    std::vector<PolicySetting> settings;
    for (const catalog::Row& row : *own) settings.push_back({*row[0], {*row[1], *row[2]}, *row[3]});
    auto options = databases.lake.query(
        "SELECT m.key, coalesce(s.schema_name, ts.schema_name, ''), coalesce(t.table_name, ''), m.value "
        "FROM public.ducklake_metadata m "
        "LEFT JOIN public.ducklake_schema s ON m.scope = 'schema' AND s.schema_id = m.scope_id AND s.end_snapshot IS "
        "NULL "
        "LEFT JOIN public.ducklake_table t ON m.scope = 'table' AND t.table_id = m.scope_id AND t.end_snapshot IS NULL "
        "LEFT JOIN public.ducklake_schema ts ON ts.schema_id = t.schema_id AND ts.end_snapshot IS NULL "
        "WHERE m.scope IS NULL OR s.schema_id IS NOT NULL OR t.table_id IS NOT NULL");
    if (!options) return options.error();
    for (const PolicyRow& policy : config::policy_rows()) {
        for (const catalog::Row& row : *options) {
            // After the box's own rows: an `off` there counts.
            if (!policy.lake_option.empty() && *row[0] == policy.lake_option)
                settings.push_back({std::string(policy.key), {*row[1], *row[2]}, row[3].value_or("")});
        }
    }
    auto given = databases.box.query("SELECT key, schema_name, table_name, value, origin FROM keeper.given_policy");
    if (!given) return given.error();
    for (const catalog::Row& row : *given) settings.push_back({*row[0], {*row[1], *row[2]}, *row[3], *row[4]});
    return Policies(std::move(settings));
}

Status record_given_policies(catalog::Connection& box, const std::vector<PolicySetting>& given) {
    boost::json::array rows;
    for (const PolicySetting& setting : given) {
        rows.push_back({{"key", setting.key},
                        {"schema_name", setting.scope.schema},
                        {"table_name", setting.scope.table},
                        {"value", setting.value},
                        {"origin", setting.origin}});
    }
    if (auto begun = box.execute("BEGIN; LOCK TABLE keeper.given_policy; DELETE FROM keeper.given_policy"); !begun)
        return begun;
    auto put = box.query(
        "INSERT INTO keeper.given_policy SELECT key, schema_name, table_name, value, origin FROM "
        "json_to_recordset($1::json) AS given (key text, schema_name text, table_name text, value text, origin text)",
        {boost::json::serialize(rows)});
    if (!put) return put.error();
    return box.execute("COMMIT");
}

Status set_policy(Databases databases, const PolicySetting& setting) {
    if (auto checked = config::check_policy(setting); !checked) return checked;
    const PolicyRow& row = *find_policy(setting.key);
    auto scope = find_scope(databases.lake, setting.scope);
    if (!scope) return scope.error();
    if (setting.value != kPolicyOff && !row.lake_option.empty()) {
        if (auto put = put_lake_option(databases.lake, row, *scope, setting.value); !put) return put;
        return remove_box_row(databases.box, row.key, setting.scope);
    }
    auto put = databases.box.query(
        "INSERT INTO keeper.policy (key, schema_name, table_name, value) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (key, schema_name, table_name) DO UPDATE SET value = excluded.value",
        {setting.key, setting.scope.schema, setting.scope.table, setting.value});
    if (!put) return put.error();
    return remove_lake_option(databases.lake, row, *scope);
}

Status unset_policy(Databases databases, std::string_view key, const Scope& scope) {
    const PolicyRow* row = find_policy(key);
    if (row == nullptr) return config::check_policy({.key = std::string(key), .scope = scope, .value = ""});
    if (auto removed = remove_box_row(databases.box, key, scope); !removed) return removed;
    auto lake_scope = find_scope(databases.lake, scope);
    if (!lake_scope) return lake_scope.error();
    return remove_lake_option(databases.lake, *row, *lake_scope);
}

}  // namespace boathouse::keeper
