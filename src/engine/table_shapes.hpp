// What the rows of the lake's tables look like, kept so that an INSERT of values is evaluated without asking the
// catalog.
//
// For each table that an INSERT has named there is an empty table of the same schema, name, columns and defaults in a
// database of DuckDB's own memory, kShapeDatabase. Statements are bound to that one (insert_values.hpp); nothing is
// ever written to it. A shape is as old as its last look at the lake: whoever writes rows compares it with the table as
// it is in the writing transaction (LakeWriter), and has it renewed where they differ.
//
// Private to src/engine/. Owned by the Lake, made before clients are let in; any thread may enter.
#pragma once

#include <duckdb.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "access/needs.hpp"
#include "catalog/connection.hpp"

namespace boathouse::engine {

inline constexpr const char* kShapeDatabase = "boathouse_shapes";

// Of one table at one time; immutable.
struct TableShape {
    std::string schema;  // as the lake spells them
    std::string table;
    duckdb::vector<std::string> names;
    duckdb::vector<duckdb::LogicalType> types;
    std::vector<std::size_t> not_null;  // columns, from 0
    std::string description;            // equal for equal shapes
    long long lake_version = -1;        // of the lake's schema, when the table was looked at

    bool same_as(const TableShape& other) const { return description == other.description; }
    // What inserting into all of its columns takes.
    access::Needs insert_needs() const;
};

// The table as the transaction of `context` sees it; null: there is no such table.
std::shared_ptr<const TableShape> read_shape(duckdb::ClientContext& context, const std::string& schema,
                                             const std::string& table);

class TableShapes {
  public:
    // Attaches the database. Throws what DuckDB throws. The catalog is asked nothing before somebody has a question.
    TableShapes(duckdb::DatabaseInstance& database, catalog::Endpoint catalog);

    // Looks at the lake if the table is not known yet. Null: there is no such table, or none that DuckDB can hold.
    std::shared_ptr<const TableShape> find(const std::string& schema, const std::string& table);
    // Whether find() would give this one, without looking at the lake.
    bool is_current(const std::shared_ptr<const TableShape>& shape);
    // Whether the lake has a schema of its own called public, rather than main under that name: one question to
    // PostgreSQL, where DuckLake would read the lake's newest snapshot and schemas. Nothing: the catalog does not
    // answer.
    std::optional<bool> has_own_public();
    // `seen` is not what the table is like any more: the next find() looks at the lake.
    void forget(const TableShape& seen);
    // Whatever was looked at before the lake's schema had this version.
    void forget_older(long long lake_version);

  private:
    using Key = std::pair<std::string, std::string>;  // in lower case
    static Key key_of(const std::string& schema, const std::string& table);
    std::shared_ptr<const TableShape> look(const std::string& schema, const std::string& table);

    duckdb::DatabaseInstance& database_;
    std::mutex mutex_;
    std::map<Key, std::shared_ptr<const TableShape>> known_;  // under mutex_
    long long oldest_version_ = -1;                           // under mutex_: that forget_older() was told last
    const catalog::Endpoint catalog_;
    std::mutex asking_;                              // one question at a time; taken with none of the others
    std::optional<catalog::Connection> connection_;  // under asking_
    std::mutex looking_;                             // one look at a time; taken before mutex_
};

}  // namespace boathouse::engine
