#include "catalog/tuning.hpp"

#include <array>

#include "base/log.hpp"

namespace boathouse::catalog {
namespace {

struct Index {
    const char* name;
    const char* table;
    const char* columns;
};

constexpr std::array<Index, 7> kIndexes{{
    // Pruning reads one column's statistics of one table's files.
    {"boathouse_file_column_stats", "ducklake_file_column_stats", "table_id, column_id"},
    // Every scan, delete, update and merge reads one table's files, up to five times.
    {"boathouse_data_file", "ducklake_data_file", "table_id"},
    {"boathouse_delete_file", "ducklake_delete_file", "table_id"},
    // Every insert updates its table's statistics column by column.
    {"boathouse_table_column_stats", "ducklake_table_column_stats", "table_id, column_id"},
    // The mirror asks what has changed since a snapshot, and for the columns of the tables that have.
    {"boathouse_column", "ducklake_column", "table_id"},
    {"boathouse_column_begin", "ducklake_column", "begin_snapshot"},
    {"boathouse_column_end", "ducklake_column", "end_snapshot"},
}};

// Tables that grow by every commit. DuckDB divides a table by the pages that it is said to have, and the planner counts
// on its statistics: both should know of the last two percent.
constexpr std::array<const char*, 4> kGrowing{"ducklake_data_file", "ducklake_file_column_stats", "ducklake_snapshot",
                                              "ducklake_snapshot_changes"};
constexpr const char* kGrowth = "autovacuum_analyze_scale_factor=0.02,autovacuum_vacuum_insert_scale_factor=0.05";

Result<bool> holds(Connection& connection, const std::string& condition,
                   const std::vector<std::optional<std::string>>& parameters) {
    auto rows = connection.query("SELECT " + condition, parameters);
    if (!rows) return rows.error();
    return rows->front().front() == "t";
}

// CREATE INDEX IF NOT EXISTS would lock the table before it looks.
Status create_index(Connection& connection, const Index& index) {
    auto there = holds(connection, "pg_catalog.to_regclass($1) IS NOT NULL", {std::string("public.") + index.name});
    if (!there) return there.error();
    if (*there) return {};
    return connection.execute(fmt::format("CREATE INDEX {} ON public.{} ({})", index.name, index.table, index.columns));
}

Status set_autovacuum(Connection& connection, const std::string& table) {
    auto there = holds(connection,
                       "EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = $1::pg_catalog.regclass AND "
                       "pg_catalog.array_to_string(reloptions, ',') = $2)",
                       {"public." + table, kGrowth});
    if (!there) return there.error();
    if (*there) return {};
    return connection.execute(fmt::format("ALTER TABLE public.{} SET ({})", table, kGrowth));
}

// The default of 4 is a disk's: at it the planner reads a thousand pages of ducklake_data_file in order rather than
// forty through the index. A setting that somebody made is left alone.
Status set_page_cost(Connection& connection) {
    auto there = holds(
        connection,
        "EXISTS (SELECT FROM pg_catalog.pg_settings WHERE name = 'random_page_cost' AND source <> 'default')", {});
    if (!there) return there.error();
    if (*there) return {};
    return connection.execute(
        "DO $boathouse$ BEGIN EXECUTE pg_catalog.format('ALTER DATABASE %I SET random_page_cost = 1.1', "
        "pg_catalog.current_database()); END $boathouse$");
}

Status tune(Connection& connection) {
    for (const Index& index : kIndexes) {
        if (auto created = create_index(connection, index); !created) return created;
    }
    for (const char* table : kGrowing) {
        if (auto set = set_autovacuum(connection, table); !set) return set;
    }
    return set_page_cost(connection);
}

}  // namespace

Status tune_tables(Connection& connection) {
    auto tuned = tune(connection);
    if (tuned || tuned.error().kind != ErrorKind::permission) return tuned;
    log_warning("catalog", "the external catalog stays without some of its indexes: {}", tuned.error().message);
    return {};
}

}  // namespace boathouse::catalog
