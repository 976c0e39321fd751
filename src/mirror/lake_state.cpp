#include "mirror/lake_state.hpp"

#include <algorithm>
#include <map>

#include "base/log.hpp"
#include "engine/lake_type.hpp"
#include "mirror/recorded_state.hpp"

namespace boathouse::mirror {

using catalog::Connection;
using catalog::Row;
using catalog::Rows;

namespace {

constexpr const char* kNewest =
    "SELECT snapshot_id, snapshot_time, schema_version FROM public.ducklake_snapshot "
    "ORDER BY snapshot_id DESC LIMIT 1";

// Numbers of what changed after $1. Macros are never altered, only made and dropped.
constexpr const char* kChanged = R"sql(
SELECT table_id FROM public.ducklake_table WHERE begin_snapshot > $1 OR end_snapshot > $1
UNION SELECT table_id FROM public.ducklake_column WHERE begin_snapshot > $1 OR end_snapshot > $1
UNION SELECT table_id FROM public.ducklake_column_tag WHERE begin_snapshot > $1 OR end_snapshot > $1
UNION SELECT table_id FROM public.ducklake_partition_info WHERE begin_snapshot > $1 OR end_snapshot > $1
UNION SELECT object_id FROM public.ducklake_tag WHERE begin_snapshot > $1 OR end_snapshot > $1
UNION SELECT view_id FROM public.ducklake_view WHERE begin_snapshot > $1 OR end_snapshot > $1
UNION SELECT macro_id FROM public.ducklake_macro WHERE begin_snapshot > $1 OR end_snapshot > $1
UNION SELECT schema_id FROM public.ducklake_schema WHERE begin_snapshot > $1 OR end_snapshot > $1)sql";

constexpr const char* kSchemas =
    "SELECT schema_id, schema_name FROM public.ducklake_schema WHERE end_snapshot IS NULL ORDER BY schema_id";

// $1: the numbers wanted, or NULL for all. Partitioning has no place of its own in an ordinary table of PostgreSQL.
constexpr const char* kTables = R"sql(
SELECT t.table_id, t.schema_id, t.table_name,
       (SELECT value FROM public.ducklake_tag g
         WHERE g.object_id = t.table_id AND g.key = 'comment' AND g.end_snapshot IS NULL LIMIT 1),
       (SELECT pg_catalog.string_agg(CASE p.transform WHEN 'identity' THEN c.column_name
                                     ELSE p.transform || '(' || c.column_name || ')' END,
                                     ', ' ORDER BY p.partition_key_index)
          FROM public.ducklake_partition_info i
          JOIN public.ducklake_partition_column p ON p.partition_id = i.partition_id AND p.table_id = i.table_id
          JOIN public.ducklake_column c ON c.table_id = p.table_id AND c.column_id = p.column_id
           AND c.end_snapshot IS NULL
         WHERE i.table_id = t.table_id AND i.end_snapshot IS NULL)
  FROM public.ducklake_table t
 WHERE t.end_snapshot IS NULL AND ($1::bigint[] IS NULL OR t.table_id = ANY ($1::bigint[]))
 ORDER BY t.table_id)sql";

constexpr const char* kColumns = R"sql(
SELECT c.table_id, c.column_id, c.parent_column, c.column_name, c.column_type, c.nulls_allowed,
       c.default_value, c.default_value_type, g.value
  FROM public.ducklake_column c
  LEFT JOIN public.ducklake_column_tag g ON g.table_id = c.table_id AND g.column_id = c.column_id
   AND g.key = 'comment' AND g.end_snapshot IS NULL
 WHERE c.end_snapshot IS NULL AND ($1::bigint[] IS NULL OR c.table_id = ANY ($1::bigint[]))
 ORDER BY c.table_id, c.column_order, c.column_id)sql";

constexpr const char* kViews = R"sql(
SELECT v.view_id, v.schema_id, v.view_name, v.sql,
       (SELECT value FROM public.ducklake_tag g
         WHERE g.object_id = v.view_id AND g.key = 'comment' AND g.end_snapshot IS NULL LIMIT 1)
  FROM public.ducklake_view v WHERE v.end_snapshot IS NULL ORDER BY v.view_id)sql";

constexpr const char* kMacros = R"sql(
SELECT m.macro_id, m.schema_id, m.macro_name, i.impl_id, i.sql, i.type, p.parameter_name, p.parameter_type,
       p.default_value_type <> 'unknown'
  FROM public.ducklake_macro m
  JOIN public.ducklake_macro_impl i ON i.macro_id = m.macro_id
  LEFT JOIN public.ducklake_macro_parameters p ON p.macro_id = i.macro_id AND p.impl_id = i.impl_id
 WHERE m.end_snapshot IS NULL AND ($1::bigint[] IS NULL OR m.macro_id = ANY ($1::bigint[]))
 ORDER BY m.macro_id, i.impl_id, p.column_id)sql";

constexpr const char* kStatistics =
    "SELECT table_id, coalesce(record_count, 0), coalesce(file_size_bytes, 0) FROM public.ducklake_table_stats "
    "WHERE $1::bigint[] IS NULL OR table_id = ANY ($1::bigint[])";

long long number(const std::optional<std::string>& text) {
    return text ? std::stoll(*text) : 0;
}

// Snapshots that nobody needs are expired, and with them the traces of what was dropped before.
Result<bool> remembers(Connection& lake, const Snapshot& snapshot) {
    auto rows = lake.query("SELECT snapshot_time FROM public.ducklake_snapshot WHERE snapshot_id = $1",
                           {std::to_string(snapshot.id)});
    if (!rows) return rows.error();
    return !rows->empty() && rows->front().front() == snapshot.time;
}

// A table's columns come as a forest: a list's values and a struct's fields are columns below theirs.
struct ColumnRow {
    std::string type;
    std::optional<long long> parent;
};

LakeColumn column_of(const Row& row, const std::map<long long, ColumnRow>& all, long long id) {
    std::string type = row[4].value_or("");
    const bool is_list = type == "list";
    for (long long at = id; type == "list";) {
        const auto element =
            std::find_if(all.begin(), all.end(), [at](const auto& entry) { return entry.second.parent == at; });
        if (element == all.end()) break;
        at = element->first;
        type = element->second.type;
    }
    LakeColumn column;
    column.id = id;
    column.name = row[3].value_or("");
    const auto described = engine::describe_lake_column(column.name, type, is_list);
    column.type = described.type;
    column.modifier = described.modifier;
    column.not_null = row[5] == "f";
    const std::string value = row[6].value_or("NULL");
    if (row[7] == "expression") {
        column.default_expression = value;
    } else if (value != "NULL") {
        column.default_literal = value;
    }
    column.comment = row[8].value_or("");
    return column;
}

// The rows from `begin` on that belong to one table; the position after them.
std::size_t add_columns(LakeTable& table, const Rows& rows, std::size_t begin) {
    std::size_t end = begin;
    std::map<long long, ColumnRow> all;
    while (end < rows.size() && number(rows[end][0]) == table.id) {
        const Row& row = rows[end++];
        all[number(row[1])] = {row[4].value_or(""), row[2] ? std::optional(number(row[2])) : std::nullopt};
    }
    for (std::size_t i = begin; i < end; ++i) {
        if (!rows[i][2]) table.columns.push_back(column_of(rows[i], all, number(rows[i][1])));
    }
    return end;
}

Status read_tables(Connection& lake, LakeState& state, const std::optional<std::string>& wanted) {
    auto tables = lake.query(kTables, {wanted});
    if (!tables) return tables.error();
    auto columns = lake.query(kColumns, {wanted});
    if (!columns) return columns.error();
    std::size_t at = 0;
    for (const Row& row : *tables) {
        LakeTable& table = state.tables.emplace_back();
        table.id = number(row[0]);
        table.schema = number(row[1]);
        table.name = row[2].value_or("");
        table.comment = row[3].value_or("");
        if (row[4]) table.comment += (table.comment.empty() ? "" : " ") + fmt::format("[partitioned by {}]", *row[4]);
        while (at < columns->size() && number((*columns)[at][0]) < table.id) ++at;
        at = add_columns(table, *columns, at);
        // What a drop and a rename of two clients at once may leave behind: no client of the lake has such a table.
        if (table.columns.empty()) state.tables.pop_back();
    }
    return {};
}

Status read_views(Connection& lake, LakeState& state) {
    auto rows = lake.query(kViews);
    if (!rows) return rows.error();
    for (const Row& row : *rows) {
        state.views.push_back(
            {number(row[0]), number(row[1]), row[2].value_or(""), row[4].value_or(""), row[3].value_or(""), {}});
    }
    return {};
}

Status read_macros(Connection& lake, LakeState& state, const std::optional<std::string>& wanted) {
    auto rows = lake.query(kMacros, {wanted});
    if (!rows) return rows.error();
    const Row* last = nullptr;
    for (const Row& row : *rows) {
        if (last == nullptr || (*last)[0] != row[0] || (*last)[3] != row[3]) {
            state.macros.push_back(
                {number(row[0]), number(row[1]), row[2].value_or(""), row[4].value_or(""), row[5] == "table", {}});
        }
        last = &row;
        if (!row[6]) continue;
        const std::string type = row[7] == "unknown" ? "varchar" : row[7].value_or("varchar");
        state.macros.back().parameters.push_back(
            {*row[6], engine::describe_lake_column(*row[6], type, false).type, row[8] == "t"});
    }
    return {};
}

Status read_statistics(Connection& lake, LakeState& state, const std::optional<std::string>& wanted) {
    auto rows = lake.query(kStatistics, {wanted});
    if (!rows) return rows.error();
    for (const Row& row : *rows) state.statistics.push_back({number(row[0]), number(row[1]), number(row[2])});
    return {};
}

Status read_changed(Connection& lake, LakeState& state, const std::optional<Snapshot>& since) {
    if (since && since->id <= state.snapshot.id) {
        auto known = remembers(lake, *since);
        if (!known) return known.error();
        state.complete = !*known;
    } else {
        state.complete = true;
    }
    if (state.complete) return {};
    auto rows = lake.query(kChanged, {std::to_string(since->id)});
    if (!rows) return rows.error();
    for (const Row& row : *rows) state.changed.push_back(number(row[0]));
    return {};
}

Status read_all(Connection& lake, LakeState& state, const std::optional<Snapshot>& since, StatisticsOf statistics) {
    auto snapshot = newest_snapshot(lake);
    if (!snapshot) return snapshot.error();
    state.snapshot = std::move(*snapshot);
    if (auto read = read_changed(lake, state, since); !read) return read;
    auto schemas = lake.query(kSchemas);
    if (!schemas) return schemas.error();
    for (const Row& row : *schemas) state.schemas.push_back({number(row[0]), row[1].value_or("")});
    const auto wanted = state.complete ? std::nullopt : std::optional(array_of(state.changed));
    if (state.complete || !state.changed.empty()) {
        if (auto read = read_tables(lake, state, wanted); !read) return read;
        if (auto read = read_views(lake, state); !read) return read;
        if (auto read = read_macros(lake, state, wanted); !read) return read;
    }
    return read_statistics(lake, state, statistics == StatisticsOf::all ? std::nullopt : wanted);
}

}  // namespace

Result<Snapshot> newest_snapshot(Connection& lake) {
    auto rows = lake.query(kNewest);
    if (!rows) return rows.error();
    if (rows->empty()) return Error{ErrorKind::corrupt, "The catalog holds no snapshot", "", ""};
    const Row& row = rows->front();
    return Snapshot{number(row[0]), row[1].value_or(""), number(row[2])};
}

Result<LakeState> read_lake_state(Connection& lake, const std::optional<Snapshot>& since, StatisticsOf statistics) {
    if (auto begun = lake.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); !begun) return begun.error();
    LakeState state;
    const auto read = read_all(lake, state, since, statistics);
    const auto ended = lake.execute("ROLLBACK");
    if (!read) return read.error();
    if (!ended) return ended.error();
    return state;
}

}  // namespace boathouse::mirror
