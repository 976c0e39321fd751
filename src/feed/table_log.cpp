#include "feed/table_log.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "base/log.hpp"

namespace boathouse::feed {
namespace {

constexpr const char* kFind =
    "SELECT t.table_id, s.schema_name, t.table_name FROM public.ducklake_table t "
    "JOIN public.ducklake_schema s ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL "
    "WHERE t.end_snapshot IS NULL AND pg_catalog.lower(t.table_name) = pg_catalog.lower($2) "
    "AND (pg_catalog.lower(s.schema_name) = pg_catalog.lower($1) OR pg_catalog.lower($1) = 'public' "
    "AND s.schema_name = 'main' AND NOT EXISTS (SELECT FROM public.ducklake_schema p WHERE p.end_snapshot IS NULL "
    "AND pg_catalog.lower(p.schema_name) = 'public'))";

constexpr const char* kDropped =
    "SELECT max(t.end_snapshot) FROM public.ducklake_table t JOIN public.ducklake_schema s ON s.schema_id = "
    "t.schema_id "
    "WHERE pg_catalog.lower(t.table_name) = pg_catalog.lower($2) AND pg_catalog.lower(s.schema_name) = "
    "CASE WHEN pg_catalog.lower($1) = 'public' THEN 'main' ELSE pg_catalog.lower($1) END";

// Snapshots have consecutive numbers, so one that is missing has ended. $2 is the last that has been read: what a
// snapshot has deleted lies in files of the one before, which go with it. A table of the same name that ended later
// than the position was another one.
constexpr const char* kBounds =
    "SELECT (SELECT max(snapshot_id) FROM public.ducklake_snapshot), "
    "(SELECT count(*) FROM public.ducklake_snapshot WHERE snapshot_id >= $2::bigint), "
    "(SELECT min(begin_snapshot) FROM public.ducklake_table WHERE table_id = $1::bigint), "
    "(SELECT max(t.end_snapshot) FROM public.ducklake_table t JOIN public.ducklake_schema s "
    "ON s.schema_id = t.schema_id WHERE t.table_id <> $1::bigint AND s.schema_name = $3 AND t.table_name = $4), "
    "(SELECT max(end_snapshot) FROM public.ducklake_table WHERE table_id = $1::bigint "
    "HAVING NOT bool_or(end_snapshot IS NULL))";

constexpr const char* kOldest =
    "SELECT max(s.snapshot_id) FROM public.ducklake_snapshot s WHERE NOT EXISTS "
    "(SELECT FROM public.ducklake_snapshot p WHERE p.snapshot_id = s.snapshot_id - 1)";

constexpr const char* kChanged =
    "SELECT c.snapshot_id, s.schema_name, t.table_name, "
    "(SELECT pg_catalog.json_agg(k.column_name ORDER BY k.column_order)::text FROM public.ducklake_column k "
    " WHERE k.table_id = $1::bigint AND k.parent_column IS NULL AND k.begin_snapshot <= c.snapshot_id "
    " AND (k.end_snapshot IS NULL OR k.end_snapshot > c.snapshot_id)), "
    "(SELECT coalesce(sum(d.record_count), 0) FROM public.ducklake_data_file d "
    " WHERE d.table_id = $1::bigint AND d.begin_snapshot = c.snapshot_id) + "
    "(SELECT coalesce(sum(d.delete_count), 0) FROM public.ducklake_delete_file d "
    " WHERE d.table_id = $1::bigint AND d.begin_snapshot = c.snapshot_id) "
    "FROM public.ducklake_snapshot_changes c "
    "JOIN public.ducklake_table t ON t.table_id = $1::bigint AND t.begin_snapshot <= c.snapshot_id "
    "AND (t.end_snapshot IS NULL OR t.end_snapshot > c.snapshot_id) "
    "JOIN public.ducklake_schema s ON s.schema_id = t.schema_id AND s.begin_snapshot <= c.snapshot_id "
    "AND (s.end_snapshot IS NULL OR s.end_snapshot > c.snapshot_id) "
    "WHERE c.snapshot_id BETWEEN $2::bigint AND $3::bigint AND c.changes_made ~ "
    "('(^|,)(inserted_into_table|deleted_from_table|inlined_insert|inlined_delete):' || $1::bigint || '(,|$)') "
    "ORDER BY 1 LIMIT 64";
constexpr std::size_t kSnapshotsMax = 64;  // as in kChanged

long long number(const std::optional<std::string>& text) {
    return std::stoll(text.value_or("0"));
}

Error dropped(const TableId& table, const std::string& snapshot) {
    return {ErrorKind::not_found,
            fmt::format("the table \"{}.{}\" was dropped in snapshot {}", table.schema, table.table, snapshot),
            "boathouse.undrop_table brings it back, as a table whose changes begin anew.", ""};
}

// The last snapshot of which all has been read.
long long last_read(const Position& position) {
    return std::max(0LL, position.snapshot - 1);
}

// Whether anything between the position and now is gone; fills `span` then.
Result<bool> check_gone(catalog::Connection& lake, const TableId& table, const Position& position,
                        const catalog::Row& bounds, Span& span) {
    const long long newest = number(bounds[0]);
    if (number(bounds[1]) != newest - last_read(position) + 1) {
        auto oldest = lake.query(kOldest);
        if (!oldest) return oldest.error();
        span.oldest = number(oldest->at(0)[0]);
        span.gone =
            fmt::format("changes since {} are gone: snapshots before {} have ended", to_text(position), span.oldest);
        return true;
    }
    const long long begin = number(bounds[2]);
    if (!bounds[3] || number(bounds[3]) <= position.snapshot || begin <= position.snapshot) return false;
    span.oldest = begin - 1;
    span.gone = fmt::format("the table {}.{} was made anew in snapshot {}", table.schema, table.table, begin);
    return true;
}

// In a transaction, so that no snapshot ends between the questions.
Result<Span> read_span(catalog::Connection& lake, const TableId& table, const Position& position,
                       long long rows_wanted) {
    const std::string id = std::to_string(table.number);
    auto bounds = lake.query(kBounds, {id, std::to_string(last_read(position)), table.schema, table.table});
    if (!bounds) return bounds.error();
    const long long newest = number(bounds->at(0)[0]);
    if (position > after(newest)) return in_the_future(position, newest);
    Span span;
    span.reaches = position;
    auto gone = check_gone(lake, table, position, bounds->at(0), span);
    if (!gone) return gone.error();
    if (*gone) return span;

    auto rows = lake.query(kChanged, {id, std::to_string(position.snapshot), std::to_string(newest)});
    if (!rows) return rows.error();
    const auto& end = bounds->at(0)[4];
    if (rows->empty() && end) return dropped(table, *end);
    long long changes = 0;
    for (const catalog::Row& row : *rows) {
        if (changes >= rows_wanted) break;
        changes += std::max(1LL, number(row[4]));
        span.snapshots.push_back({number(row[0]), row[1].value_or(""), row[2].value_or(""), {}});
        const boost::json::value columns = boost::json::parse(row[3].value_or("[]"));
        for (const auto& name : columns.as_array()) span.snapshots.back().columns.emplace_back(name.as_string());
    }
    const bool is_all = span.snapshots.size() == rows->size() && rows->size() < kSnapshotsMax;
    span.reaches = after(is_all ? newest : span.snapshots.back().number);
    return span;
}

}  // namespace

Error in_the_future(const Position& position, long long newest) {
    return {
        ErrorKind::configuration,
        fmt::format("the position {} lies in the future: the lake's newest snapshot is {}", to_text(position), newest),
        "Is this the lake that the position is of, or has it been restored to an earlier time?", ""};
}

Result<TableId> find_table(catalog::Connection& lake, const std::string& schema, const std::string& table) {
    auto rows = lake.query(kFind, {schema, table});
    if (!rows) return rows.error();
    if (!rows->empty()) {
        const catalog::Row& row = rows->front();
        return TableId{number(row[0]), row[1].value_or(""), row[2].value_or("")};
    }
    auto dropped = lake.query(kDropped, {schema, table});
    if (!dropped) return dropped.error();
    const auto& snapshot = dropped->at(0)[0];
    if (!snapshot)
        return Error{ErrorKind::not_found, fmt::format("there is no table \"{}.{}\"", schema, table), "", ""};
    return Error{ErrorKind::not_found,
                 fmt::format("the table \"{}.{}\" was dropped or renamed in snapshot {}", schema, table, *snapshot),
                 "boathouse.undrop_table brings a dropped table back, and its changes begin anew.", ""};
}

Result<Span> next_span(catalog::Connection& lake, const TableId& table, const Position& position,
                       long long rows_wanted) {
    if (auto begun = lake.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); !begun) return begun.error();
    auto span = read_span(lake, table, position, rows_wanted);
    const auto ended = lake.execute(span ? "COMMIT" : "ROLLBACK");
    if (span && !ended) return ended.error();
    return span;
}

}  // namespace boathouse::feed
