// Appends rows to tables of the lake by writing the catalog itself: one snapshot, one transaction of PostgreSQL, two
// round trips at most and mostly one.
//
// The rows go into the tables' inlined data, with the snapshot, its changes and the tables' statistics, as the DuckLake
// 1.0 specification has them (https://ducklake.select/docs/stable/specification/introduction) and the official
// extension writes them. What is to be written is settled by the caller (engine/snapshot_appender.hpp), who knows
// DuckDB's types; this class knows the catalog's tables. It owns a connection as lake_endpoint() and is used by one
// thread, the committer. Every call may block on the server, and on its locks. After an error the transaction is over.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catalog/connection.hpp"

namespace boathouse::catalog {

// The lake at its newest snapshot.
struct LakeState {
    long long snapshot = -1;
    long long schema_version = -1;
    long long next_catalog_id = 0;
    long long next_file_id = 0;
    std::string options;  // all of ducklake_metadata, as text to compare
};

// A table as the catalog has it, with what an append needs to know.
struct TableFacts {
    struct Column {
        long long id = 0;  // DuckLake's field id; 0 in the inlined table
        std::string name;
        std::string type;  // DuckLake's, in the inlined table PostgreSQL's
    };
    long long id = 0;
    long long schema_id = 0;
    bool is_plain = false;  // neither partitioned, nor sorted, nor with fields within columns
    std::vector<Column> columns;
    std::string inlined_table;            // for the table as it is now; empty: there is none
    std::vector<Column> inlined_columns;  // of it, without DuckLake's own three
};

struct ColumnStatistics {
    long long column_id = 0;
    std::optional<bool> contains_null;
    std::optional<std::string> min;
    std::optional<std::string> max;

    bool operator==(const ColumnStatistics& other) const = default;
};

struct TableStatistics {
    bool is_there = false;  // false: nothing was ever written to the table
    long long record_count = 0;
    long long next_row_id = 0;
    std::vector<ColumnStatistics> columns;  // those that are there, in the order of their ids
};

// What becomes of one table.
struct TableAppend {
    long long table_id = 0;
    std::string inlined_table;
    std::vector<std::string> array_types;   // of `values`, as "pg_catalog.int4"
    std::vector<std::string> column_types;  // of the inlined table's columns, which the elements are cast to
    std::vector<Parameter> values;          // one array a column, all of row_count elements
    long long row_count = 0;
    TableStatistics before;
    TableStatistics after;
};

class SnapshotAppend {
  public:
    static Result<SnapshotAppend> open(const Endpoint& endpoint);

    // Begins a transaction and reads the newest snapshot. `alone`: nobody else commits to the lake until it is over;
    // for who has lost the race for a snapshot's number before.
    Result<LakeState> begin(bool alone);
    // In the transaction. Nothing: the table is not there.
    Result<std::optional<TableFacts>> table(const std::string& schema, const std::string& name);
    Result<TableStatistics> statistics(long long table_id);
    void roll_back();

    // Writes snapshot `state.snapshot + 1` with the rows of the tables, in the transaction that begin() has begun, and
    // commits it. Answers with the transaction's number (pg_current_xact_id()).
    Result<std::uint64_t> finish(const LakeState& state, const std::vector<TableAppend>& tables,
                                 const std::string& note);
    // The same as a transaction of its own, which fails with is_behind() unless the lake is still at `state`; or, where
    // `since` is given, unless it sees what that snapshot of PostgreSQL's does (pg_snapshot.hpp), in which the lake was
    // at `state`.
    Result<std::uint64_t> append(const LakeState& state, const std::vector<TableAppend>& tables,
                                 const std::string& note, const std::string& since = {});

    // Of the last error: somebody else has committed meanwhile.
    bool is_behind() const;
    // Of the last error: the connection broke, so that a commit that was sent may have happened.
    bool is_lost() const;
    // Whether there is a server at the other end, as far as one knows without asking.
    bool is_alive() { return connection_.is_alive(); }

  private:
    explicit SnapshotAppend(Connection connection) : connection_(std::move(connection)) {}
    Result<std::string> prepare_rows(const TableAppend& table);
    Result<std::uint64_t> run(const std::vector<Step>& steps);
    Status add_writes(std::vector<Step>& steps, const LakeState& state, const std::vector<TableAppend>& tables,
                      const std::string& note);

    Connection connection_;
    std::set<std::string> prepared_;  // statements that put rows into an inlined table
    bool is_open_ = false;            // a transaction is
};

}  // namespace boathouse::catalog
