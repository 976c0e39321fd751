#include "catalog/snapshot_append.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

namespace boathouse::catalog {
namespace {

// Statements beyond these are prepared anew: a lake of very many tables must not fill the server's memory.
constexpr std::size_t kPreparedMax = 500;

// All rows of the options, parted by characters that none of them has.
constexpr const char* kOptions =
    "(SELECT pg_catalog.string_agg(pg_catalog.concat_ws(E'\\x1f', key, value, scope, scope_id), E'\\x1e' "
    "ORDER BY key, scope, scope_id) FROM public.ducklake_metadata)";

constexpr const char* kSnapshot = "snapshot";

struct Prepared {
    const char* name;
    std::string sql;
};

const std::vector<Prepared>& statements() {
    static const std::vector<Prepared> all{
        {"begin", "BEGIN ISOLATION LEVEL REPEATABLE READ"},
        // Waits for those who are about to commit, and whoever comes later waits. Readers are not in the way.
        {"alone", "LOCK TABLE public.ducklake_snapshot IN SHARE ROW EXCLUSIVE MODE"},
        {"state",
         fmt::format(
             "SELECT snapshot_id, schema_version, next_catalog_id, next_file_id, {} FROM public.ducklake_snapshot "
             "WHERE snapshot_id = (SELECT pg_catalog.max(snapshot_id) FROM public.ducklake_snapshot)",
             kOptions)},
        // Divides by zero unless the lake is where the caller has seen it: an error is what stops the steps behind it.
        {"still",
         fmt::format("SELECT 1 / (pg_catalog.max(snapshot_id) = $1::pg_catalog.int8 AND {} = $2::pg_catalog.text)"
                     "::pg_catalog.int4 FROM public.ducklake_snapshot",
                     kOptions)},
        // As `still`, of everything that the server has. It costs less, because nothing is read.
        {"since",
         "SELECT 1 / (pg_catalog.pg_current_snapshot()::pg_catalog.text = $1::pg_catalog.text)::pg_catalog.int4"},
        // Not now(): the transaction may have waited for others since it began, and theirs are the earlier snapshots.
        {kSnapshot,
         "WITH changes AS (INSERT INTO public.ducklake_snapshot_changes VALUES ($1, $5, NULL, NULL, $6)) "
         "INSERT INTO public.ducklake_snapshot VALUES ($1, pg_catalog.clock_timestamp(), $2, $3, $4) "
         "RETURNING pg_catalog.pg_current_xact_id()"},
        {"new table", "INSERT INTO public.ducklake_table_stats VALUES ($1, $2, $3, 0)"},
        {"table", "UPDATE public.ducklake_table_stats SET record_count = $2, next_row_id = $3 WHERE table_id = $1"},
        {"new column",
         "INSERT INTO public.ducklake_table_column_stats VALUES ($1, $2, $3::pg_catalog.bool, NULL, $4, $5, NULL)"},
        {"column",
         "UPDATE public.ducklake_table_column_stats SET contains_null = $3::pg_catalog.bool, contains_nan = NULL, "
         "min_value = $4, max_value = $5 WHERE table_id = $1 AND column_id = $2"},
        {"commit", "COMMIT"},
    };
    return all;
}

constexpr const char* kTable = R"sql(
SELECT t.table_id, t.schema_id,
       NOT EXISTS (SELECT FROM public.ducklake_partition_info p
                     JOIN public.ducklake_partition_column c USING (partition_id)
                    WHERE p.table_id = t.table_id AND p.end_snapshot IS NULL)
       AND NOT EXISTS (SELECT FROM public.ducklake_sort_info s WHERE s.table_id = t.table_id AND s.end_snapshot IS NULL)
       AND NOT EXISTS (SELECT FROM public.ducklake_column c
                        WHERE c.table_id = t.table_id AND c.end_snapshot IS NULL AND c.parent_column IS NOT NULL),
       (SELECT i.table_name FROM public.ducklake_inlined_data_tables i
         WHERE i.table_id = t.table_id
           AND i.schema_version = (SELECT pg_catalog.max(v.schema_version) FROM public.ducklake_schema_versions v
                                    WHERE v.table_id = t.table_id))
  FROM public.ducklake_table t JOIN public.ducklake_schema s USING (schema_id)
 WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL AND s.schema_name = $1 AND t.table_name = $2
)sql";

constexpr const char* kColumns =
    "SELECT column_id, column_name, column_type FROM public.ducklake_column "
    "WHERE table_id = $1 AND end_snapshot IS NULL AND parent_column IS NULL ORDER BY column_order";

// Behind row_id, begin_snapshot and end_snapshot.
constexpr const char* kInlinedColumns =
    "SELECT 0, attname, pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute "
    "WHERE attrelid = pg_catalog.to_regclass('public.' || pg_catalog.quote_ident($1)) AND attnum > 3 "
    "AND NOT attisdropped ORDER BY attnum";

constexpr const char* kTableStatistics =
    "SELECT record_count, next_row_id FROM public.ducklake_table_stats WHERE table_id = $1";
constexpr const char* kColumnStatistics =
    "SELECT column_id, contains_null, min_value, max_value FROM public.ducklake_table_column_stats "
    "WHERE table_id = $1 ORDER BY column_id";

long long number(const std::optional<std::string>& text) {
    return text ? std::stoll(*text) : 0;
}

std::vector<TableFacts::Column> columns_of(const Rows& rows) {
    std::vector<TableFacts::Column> columns;
    for (const Row& row : rows) columns.push_back({number(row[0]), row[1].value_or(""), row[2].value_or("")});
    return columns;
}

// Bounds may hold what no text of PostgreSQL's may: as binary they are refused rather than cut off.
Parameter bound(const std::optional<std::string>& value) {
    return value ? Parameter::binary(*value) : Parameter::of(value);
}

Parameter flag(const std::optional<bool>& value) {
    if (!value) return Parameter::of(std::nullopt);
    return Parameter::of(*value ? "true" : "false");
}

void add_statistics(std::vector<Step>& steps, const TableAppend& table) {
    const Parameter id = Parameter::of(table.table_id);
    steps.push_back({table.before.is_there ? "table" : "new table",
                     {id, Parameter::of(table.after.record_count), Parameter::of(table.after.next_row_id)}});
    for (std::size_t i = 0; i < table.after.columns.size(); ++i) {
        const ColumnStatistics& column = table.after.columns[i];
        if (table.before.is_there && column == table.before.columns[i]) continue;
        steps.push_back(
            {table.before.is_there ? "column" : "new column",
             {id, Parameter::of(column.column_id), flag(column.contains_null), bound(column.min), bound(column.max)}});
    }
}

}  // namespace

Result<SnapshotAppend> SnapshotAppend::open(const Endpoint& endpoint) {
    auto connection = Connection::open(endpoint);
    if (!connection) return connection.error();
    // What is prepared has one plan whatever it is given.
    if (auto set = connection->execute("SET plan_cache_mode = force_generic_plan"); !set) return set.error();
    for (const Prepared& statement : statements()) {
        if (auto prepared = connection->prepare(statement.name, statement.sql); !prepared) return prepared.error();
    }
    return SnapshotAppend(std::move(*connection));
}

Result<LakeState> SnapshotAppend::begin(bool alone) {
    std::vector<Step> steps{{"begin"}};
    // The first statement that reads is what a transaction sees: the lock comes before it.
    if (alone) steps.push_back({"alone"});
    steps.push_back({"state"});
    is_open_ = true;
    const auto rows = connection_.run(steps);
    if (!rows) {
        roll_back();
        return rows.error();
    }
    if (rows->back().size() != 1) return Error{ErrorKind::corrupt, "the catalog holds no snapshot", "", ""};
    const Row& row = rows->back().front();
    return LakeState{number(row[0]), number(row[1]), number(row[2]), number(row[3]), row[4].value_or("")};
}

Result<std::optional<TableFacts>> SnapshotAppend::table(const std::string& schema, const std::string& name) {
    const auto found = connection_.query(kTable, {schema, name});
    if (!found) return found.error();
    if (found->size() != 1) return std::optional<TableFacts>();
    const Row& row = found->front();
    TableFacts facts;
    facts.id = number(row[0]);
    facts.schema_id = number(row[1]);
    facts.is_plain = row[2] == "t";
    facts.inlined_table = row[3].value_or("");
    const auto columns = connection_.query(kColumns, {std::to_string(facts.id)});
    if (!columns) return columns.error();
    facts.columns = columns_of(*columns);
    const auto inlined = connection_.query(kInlinedColumns, {facts.inlined_table});
    if (!inlined) return inlined.error();
    facts.inlined_columns = columns_of(*inlined);
    return std::optional(std::move(facts));
}

Result<TableStatistics> SnapshotAppend::statistics(long long table_id) {
    const auto table = connection_.query(kTableStatistics, {std::to_string(table_id)});
    if (!table) return table.error();
    TableStatistics statistics;
    if (table->empty()) return statistics;
    statistics.is_there = true;
    statistics.record_count = number(table->front()[0]);
    statistics.next_row_id = number(table->front()[1]);
    const auto columns = connection_.query(kColumnStatistics, {std::to_string(table_id)});
    if (!columns) return columns.error();
    for (const Row& row : *columns) {
        const auto contains_null = row[1] ? std::optional(*row[1] == "t") : std::nullopt;
        statistics.columns.push_back({number(row[0]), contains_null, row[2], row[3]});
    }
    return statistics;
}

void SnapshotAppend::roll_back() {
    if (!is_open_) return;
    is_open_ = false;
    const std::string sqlstate = connection_.last_sqlstate();
    (void)connection_.execute("ROLLBACK");  // a connection that is lost has rolled back
    connection_.set_last_sqlstate(sqlstate);
}

// INSERT of a table's rows from one array a column: what is parsed is the same for one row and for thousands.
Result<std::string> SnapshotAppend::prepare_rows(const TableAppend& table) {
    std::string name = "rows " + table.inlined_table;
    if (prepared_.count(name) != 0) return name;
    if (prepared_.size() >= kPreparedMax) {
        for (const std::string& old : prepared_) {
            if (auto gone = connection_.execute("DEALLOCATE " + connection_.identifier(old)); !gone)
                return gone.error();
        }
        prepared_.clear();
    }
    std::string columns;
    std::string arrays;
    std::string names;
    for (std::size_t i = 0; i < table.array_types.size(); ++i) {
        columns += fmt::format(", c{}::{}", i, table.column_types[i]);
        arrays += fmt::format("{}pg_catalog.unnest(${}::{}[])", i == 0 ? "" : ", ", i + 3, table.array_types[i]);
        names += fmt::format("c{}, ", i);
    }
    const std::string sql = fmt::format(
        "INSERT INTO public.{} SELECT $1::pg_catalog.int8 + place - 1, $2::pg_catalog.int8, NULL{} "
        "FROM ROWS FROM ({}) WITH ORDINALITY AS r({}place)",
        connection_.identifier(table.inlined_table), columns, arrays, names);
    if (auto prepared = connection_.prepare(name, sql); !prepared) return prepared.error();
    prepared_.insert(name);
    return name;
}

Status SnapshotAppend::add_writes(std::vector<Step>& steps, const LakeState& state,
                                  const std::vector<TableAppend>& tables, const std::string& note) {
    const Parameter snapshot = Parameter::of(state.snapshot + 1);
    // DuckLake counts a file for the inlined rows of each table: its clients keep statistics by this number.
    const auto files = static_cast<long long>(tables.size());
    std::set<long long> ids;
    for (const TableAppend& table : tables) ids.insert(table.table_id);
    std::string changes;
    for (const long long id : ids) changes += fmt::format("{}inlined_insert:{}", changes.empty() ? "" : ",", id);
    steps.push_back({kSnapshot,
                     {snapshot, Parameter::of(state.schema_version), Parameter::of(state.next_catalog_id),
                      Parameter::of(state.next_file_id + files), Parameter::of(changes),
                      note.empty() ? Parameter::of(std::nullopt) : Parameter::of(note)}});
    for (const TableAppend& table : tables) {
        auto name = prepare_rows(table);
        if (!name) return name.error();
        add_statistics(steps, table);
        Step rows{std::move(*name), {Parameter::of(table.before.next_row_id), snapshot}};
        rows.parameters.insert(rows.parameters.end(), table.values.begin(), table.values.end());
        steps.push_back(std::move(rows));
    }
    steps.push_back({"commit"});
    return {};
}

Result<std::uint64_t> SnapshotAppend::run(const std::vector<Step>& steps) {
    is_open_ = true;
    const auto done = connection_.run(steps);
    if (!done) {
        roll_back();
        return done.error();
    }
    is_open_ = false;
    const auto snapshot =
        std::find_if(steps.begin(), steps.end(), [](const Step& step) { return step.statement == kSnapshot; });
    const Rows& rows = done->at(static_cast<std::size_t>(snapshot - steps.begin()));
    return static_cast<std::uint64_t>(number(rows.at(0).at(0)));
}

Result<std::uint64_t> SnapshotAppend::finish(const LakeState& state, const std::vector<TableAppend>& tables,
                                             const std::string& note) {
    std::vector<Step> steps;
    if (auto added = add_writes(steps, state, tables, note); !added) {
        roll_back();
        return added.error();
    }
    return run(steps);
}

Result<std::uint64_t> SnapshotAppend::append(const LakeState& state, const std::vector<TableAppend>& tables,
                                             const std::string& note, const std::string& since) {
    std::vector<Step> steps{{"begin"}};
    if (since.empty()) {
        steps.push_back({"still", {Parameter::of(state.snapshot), Parameter::of(state.options)}});
    } else {
        steps.push_back({"since", {Parameter::of(since)}});
    }
    if (auto added = add_writes(steps, state, tables, note); !added) return added.error();
    return run(steps);
}

bool SnapshotAppend::is_behind() const {
    // Unique violation, serialization failure, deadlock; "still" and "since".
    static constexpr std::array<std::string_view, 4> kStates{"23505", "40001", "40P01", "22012"};
    const std::string& sqlstate = connection_.last_sqlstate();
    return std::find(kStates.begin(), kStates.end(), sqlstate) != kStates.end();
}

bool SnapshotAppend::is_lost() const {
    const std::string& sqlstate = connection_.last_sqlstate();
    return sqlstate.empty() || sqlstate.starts_with("57P") || sqlstate.starts_with("08");
}

}  // namespace boathouse::catalog
