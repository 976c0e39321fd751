#include "keeper/history.hpp"

#include "base/log.hpp"

namespace boathouse::keeper {
namespace {

// What a snapshot changed is a list such as "inserted_into_table:4,created_table:\"main\".\"t\"": by the table's
// number, but for its creation.
constexpr const char* kHistory =
    "WITH named AS (SELECT DISTINCT t.table_id, t.begin_snapshot FROM public.ducklake_table t "
    "JOIN public.ducklake_schema s ON s.schema_id = t.schema_id WHERE s.schema_name = $1 AND t.table_name = $2) "
    "SELECT s.snapshot_id, s.snapshot_time::timestamptz AT TIME ZONE 'UTC', c.author, c.commit_message, "
    "pg_catalog.concat_ws(', ', CASE WHEN created THEN 'created' END, changes) "
    "FROM public.ducklake_snapshot s JOIN public.ducklake_snapshot_changes c ON c.snapshot_id = s.snapshot_id "
    "CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM named n WHERE n.begin_snapshot = s.snapshot_id) AS created, "
    "(SELECT pg_catalog.string_agg(DISTINCT m[1], ', ') FROM named n, pg_catalog.regexp_matches(c.changes_made, "
    "'([a-z_]+):' || n.table_id || '(?:,|$)', 'g') AS m) AS changes) AS seen "
    "WHERE created OR changes IS NOT NULL ORDER BY 1 DESC LIMIT 10000";

}  // namespace

Result<std::vector<TableSnapshot>> table_history(catalog::Connection& lake, const std::string& schema,
                                                 const std::string& table) {
    auto rows = lake.query(kHistory, {schema, table});
    if (!rows) return rows.error();
    std::vector<TableSnapshot> history;
    for (const catalog::Row& row : *rows) {
        history.push_back(
            {std::stoll(*row[0]), row[1].value_or(""), row[2].value_or(""), row[3].value_or(""), row[4].value_or("")});
    }
    return history;
}

}  // namespace boathouse::keeper
