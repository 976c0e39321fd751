// What the lake's catalog says of its schemas, tables, views and macros, as far as the mirror shows it: all of it, or
// what has changed since a snapshot.
//
// read_lake_state() reads DuckLake's tables at one moment, in a read-only transaction of its own, as the role that the
// engine works as. Plain data after that. Numbers of schemas, tables, views and macros are DuckLake's and come from one
// sequence, so one number names one object. Errors: those of Connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::mirror {

struct Snapshot {
    long long id = -1;
    std::string time;  // tells a restored lake's snapshot from the one that had its number before
    long long schema_version = -1;

    bool operator==(const Snapshot&) const = default;
};

struct LakeSchema {
    long long id = 0;
    std::string name;
};

struct LakeColumn {
    long long id = 0;
    std::string name;
    std::uint32_t type = 0;  // PostgreSQL's
    std::int32_t modifier = -1;
    bool not_null = false;
    std::string default_literal;     // text of a value, or
    std::string default_expression;  // DuckDB's SQL; both empty: none
    std::string comment;

    bool operator==(const LakeColumn&) const = default;
};

struct LakeTable {
    long long id = 0;
    long long schema = 0;
    std::string name;
    std::string comment;
    std::vector<LakeColumn> columns;
};

struct LakeView {
    long long id = 0;
    long long schema = 0;
    std::string name;
    std::string comment;
    std::string sql;
    std::vector<LakeColumn> columns;  // known to whoever binds the view; empty after read_lake_state()
};

struct MacroParameter {
    std::string name;
    std::uint32_t type = 0;
    bool has_default = false;
};

// One overload.
struct LakeMacro {
    long long id = 0;
    long long schema = 0;
    std::string name;
    std::string sql;
    bool gives_table = false;
    std::vector<MacroParameter> parameters;
};

struct LakeStatistics {
    long long table = 0;
    long long rows = 0;
    long long bytes = 0;

    bool operator==(const LakeStatistics&) const = default;
};

struct LakeState {
    Snapshot snapshot;
    bool complete = false;            // everything there is; else what changed since the snapshot that was asked for
    std::vector<long long> changed;   // where not complete: the objects that changed, of which some may be gone
    std::vector<LakeSchema> schemas;  // always all of them
    std::vector<LakeTable> tables;
    std::vector<LakeView> views;  // all of them as soon as anything changed: their columns depend on other objects
    std::vector<LakeMacro> macros;
    std::vector<LakeStatistics> statistics;  // of all tables, or of those that changed
};

// Of which tables the row counts are wanted: every commit of data changes some.
enum class StatisticsOf { all, changed };

// The newest snapshot; one cheap question.
Result<Snapshot> newest_snapshot(catalog::Connection& lake);

// What changed after `since`, which the mirror shows now; everything if the lake does not remember that snapshot, or
// not as that.
Result<LakeState> read_lake_state(catalog::Connection& lake, const std::optional<Snapshot>& since,
                                  StatisticsOf statistics);

}  // namespace boathouse::mirror
