#include "keeper/survey.hpp"

#include <algorithm>
#include <cmath>

#include "base/log.hpp"

namespace boathouse::keeper {
namespace {

using catalog::Connection;
using catalog::Row;

constexpr const char* kTables =
    "SELECT t.table_id, s.schema_name, t.table_name, NOT EXISTS (SELECT FROM public.ducklake_metadata m "
    "WHERE m.key = 'auto_compact' AND m.value = 'false' AND (m.scope IS NULL OR m.scope = 'schema' AND m.scope_id = "
    "s.schema_id OR m.scope = 'table' AND m.scope_id = t.table_id)) "
    "FROM public.ducklake_table t JOIN public.ducklake_schema s ON s.schema_id = t.schema_id AND s.end_snapshot IS "
    "NULL "
    "WHERE t.end_snapshot IS NULL";

// Only files of one partition are merged with each other.
constexpr const char* kFiles =
    "WITH partitions AS (SELECT data_file_id, pg_catalog.string_agg(partition_value, '/' ORDER BY partition_key_index) "
    "AS values FROM public.ducklake_file_partition_value GROUP BY 1) "
    "SELECT f.table_id, p.values, pg_catalog.floor(pg_catalog.ln(GREATEST(f.file_size_bytes, 1)) / "
    "pg_catalog.ln(16.0))::int, count(*), sum(f.file_size_bytes), sum(f.record_count), count(d.data_file_id), "
    "max(f.begin_snapshot) "
    "FROM public.ducklake_data_file f LEFT JOIN public.ducklake_delete_file d ON d.data_file_id = f.data_file_id "
    "AND d.end_snapshot IS NULL LEFT JOIN partitions p ON p.data_file_id = f.data_file_id "
    "WHERE f.end_snapshot IS NULL GROUP BY 1, 2, 3";

constexpr const char* kDeletes =
    "SELECT table_id, fraction FROM (SELECT f.table_id, d.delete_count::float8 / GREATEST(f.record_count, 1) AS "
    "fraction, "
    "pg_catalog.row_number() OVER (PARTITION BY f.table_id ORDER BY d.delete_count::float8 / GREATEST(f.record_count, "
    "1) "
    "DESC) AS number FROM public.ducklake_delete_file d JOIN public.ducklake_data_file f ON f.data_file_id = "
    "d.data_file_id WHERE d.end_snapshot IS NULL AND f.end_snapshot IS NULL) AS fractions WHERE number <= 1000 "
    "ORDER BY 1, 2 DESC";

constexpr const char* kOldest =
    "SELECT snapshot_id, extract(epoch FROM snapshot_time::timestamptz) FROM public.ducklake_snapshot "
    "WHERE snapshot_id <> (SELECT max(snapshot_id) FROM public.ducklake_snapshot) ORDER BY 1 LIMIT 10000";

constexpr const char* kScheduled =
    "SELECT count(*), extract(epoch FROM schedule_start) FROM public.ducklake_files_scheduled_for_deletion "
    "GROUP BY schedule_start ORDER BY schedule_start";

// Counting stops where every policy's limit is likely passed.
constexpr int kInlinedCountedMax = 100'001;
constexpr std::size_t kInlinedTablesAQuery = 200;

long long number(const std::optional<std::string>& text) {
    return text ? static_cast<long long>(std::stod(*text)) : 0;
}

Status add_tables(Connection& lake, Survey& survey) {
    auto rows = lake.query(kTables);
    if (!rows) return rows.error();
    for (const Row& row : *rows) {
        TableFacts& table = survey.tables[number(row[0])];
        table.id = number(row[0]);
        table.schema = row[1].value_or("");
        table.table = row[2].value_or("");
        table.compacts = row[3] == "t";
    }
    return {};
}

Status add_files(Connection& lake, Survey& survey) {
    auto rows = lake.query(kFiles);
    if (!rows) return rows.error();
    for (const Row& row : *rows) {
        const auto found = survey.tables.find(number(row[0]));
        if (found == survey.tables.end()) continue;
        TableFacts& table = found->second;
        table.classes.push_back({static_cast<int>(number(row[2])), number(row[3]), number(row[4]), number(row[6])});
        table.files += number(row[3]);
        table.bytes += number(row[4]);
        table.rows += number(row[5]);
        table.files_with_deletes += number(row[6]);
        table.changed_at = std::max(table.changed_at, number(row[7]));
    }
    auto deletes = lake.query(kDeletes);
    if (!deletes) return deletes.error();
    for (const Row& row : *deletes) {
        const auto found = survey.tables.find(number(row[0]));
        if (found != survey.tables.end()) found->second.deleted_fractions.push_back(std::stod(row[1].value_or("0")));
    }
    return {};
}

// The text of one query over some tables of inlined rows.
std::string inlined_query(const Connection& lake, const catalog::Rows& tables, std::size_t begin, std::size_t end) {
    std::string sql;
    for (std::size_t i = begin; i < end; ++i) {
        sql += fmt::format(
            "{}SELECT {}, rows, extract(epoch FROM s.snapshot_time::timestamptz), newest FROM (SELECT count(*) AS "
            "rows, "
            "min(begin_snapshot) AS oldest, max(begin_snapshot) AS newest FROM (SELECT begin_snapshot FROM public.{} "
            "LIMIT {}) AS counted) AS c LEFT JOIN public.ducklake_snapshot s ON s.snapshot_id = c.oldest WHERE rows > "
            "0",
            sql.empty() ? "" : " UNION ALL ", *tables[i][0], lake.identifier(*tables[i][1]), kInlinedCountedMax);
    }
    return sql;
}

Status add_inlined(Connection& lake, Survey& survey) {
    // What has no page has no row, whatever it is called.
    auto tables = lake.query(
        "SELECT i.table_id, i.table_name FROM public.ducklake_inlined_data_tables i JOIN pg_catalog.pg_class c "
        "ON c.relname = i.table_name AND c.relnamespace = 'public'::pg_catalog.regnamespace "
        "WHERE pg_catalog.pg_relation_size(c.oid) > 0");
    if (!tables) return tables.error();
    for (std::size_t begin = 0; begin < tables->size(); begin += kInlinedTablesAQuery) {
        const std::size_t end = std::min(begin + kInlinedTablesAQuery, tables->size());
        auto rows = lake.query(inlined_query(lake, *tables, begin, end));
        if (!rows) return rows.error();
        for (const Row& row : *rows) {
            const auto found = survey.tables.find(number(row[0]));
            if (found == survey.tables.end()) continue;
            TableFacts& table = found->second;
            table.inlined_rows += number(row[1]);
            const double since = row[2] ? std::stod(*row[2]) : kBeforeSnapshots;
            table.inlined_since_unix =
                table.inlined_since_unix == 0 ? since : std::min(since, table.inlined_since_unix);
            table.changed_at = std::max(table.changed_at, number(row[3]));
        }
    }
    return {};
}

Status add_snapshots(Connection& lake, Survey& survey) {
    auto rows = lake.query("SELECT max(snapshot_id), count(*) FROM public.ducklake_snapshot");
    if (!rows) return rows.error();
    survey.newest_snapshot = number(rows->at(0)[0]);
    survey.snapshots = number(rows->at(0)[1]);
    auto oldest = lake.query(kOldest);
    if (!oldest) return oldest.error();
    for (const Row& row : *oldest) survey.oldest.push_back({number(row[0]), std::stod(row[1].value_or("0"))});
    auto scheduled = lake.query(kScheduled);
    if (!scheduled) return scheduled.error();
    for (const Row& row : *scheduled) survey.scheduled.push_back({number(row[0]), std::stod(row[1].value_or("0"))});
    return {};
}

Status fill(Connection& lake, Survey& survey) {
    if (auto added = add_snapshots(lake, survey); !added) return added;
    if (auto added = add_tables(lake, survey); !added) return added;
    if (auto added = add_files(lake, survey); !added) return added;
    return add_inlined(lake, survey);
}

}  // namespace

double class_bytes_max(int size_class) {
    return std::pow(16.0, size_class + 1);
}

Result<long long> newest_snapshot(Connection& lake) {
    auto rows = lake.query("SELECT max(snapshot_id) FROM public.ducklake_snapshot");
    if (!rows) return rows.error();
    return number(rows->at(0)[0]);
}

// One transaction: a table that is dropped meanwhile is there throughout, or not at all.
Result<Survey> survey(Connection& lake) {
    if (auto begun = lake.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); !begun) return begun.error();
    Survey result;
    const auto filled = fill(lake, result);
    const auto ended = lake.execute(filled ? "COMMIT" : "ROLLBACK");
    if (!filled) return filled.error();
    if (!ended) return ended.error();
    return result;
}

Result<Sizes> sizes_of(Connection& lake, long long table_id) {
    auto rows = lake.query(
        "SELECT count(*), coalesce(sum(file_size_bytes), 0), coalesce(sum(record_count), 0) "
        "FROM public.ducklake_data_file WHERE end_snapshot IS NULL AND ($1::bigint = 0 OR table_id = $1::bigint)",
        {std::to_string(table_id)});
    if (!rows) return rows.error();
    return Sizes{number(rows->at(0)[0]), number(rows->at(0)[1]), number(rows->at(0)[2])};
}

}  // namespace boathouse::keeper
