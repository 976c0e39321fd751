// Small tables of the lake, kept in the engine's memory for queries that are each asked once.
//
// A query on the lake costs DuckLake five to twelve questions to its catalog, each planned by DuckDB, however little it
// reads. So the rows of small tables that are asked for again and again are kept as tables of an in-memory database of
// DuckDB's own. That database is called "lake" too and is registered nowhere: a transaction takes it for the lake's
// (MetaTransaction::UseDatabase), so that names, errors and privileges are the same and nobody else can see it. A query
// is bound to it only if all that it names is kept; whatever fails is bound to the lake itself.
//
// All kept rows are those of one snapshot, `through_`. Before a query reads them, the catalog is asked for its newest
// snapshot; what has been committed between the two is read from ducklake_snapshot_changes, and the tables that it
// changed are kept no longer until they have been read anew. Where the schema has moved, nothing is.
//
// Private to src/engine/. Owned by the Lake, made before clients are let in; any thread may enter. A thread of its own
// reads tables (table_reader.hpp); it may block on the catalog and the store.
#pragma once

#include <atomic>
#include <condition_variable>
#include <duckdb.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "catalog/connection.hpp"
#include "engine/kept_counts.hpp"
#include "engine/lake_moment.hpp"
#include "engine/repeatable.hpp"
#include "engine/table_changes.hpp"
#include "engine/table_reader.hpp"

namespace boathouse::engine {

// The version of the lake's schema that the transaction sees, also of one that reads kept tables while it is bound.
std::optional<long long> schema_version_of(duckdb::ClientContext& context, duckdb::Catalog& lake);

// Throws what sends the statement to the lake itself, if kept tables are read and the plan needs more than their rows.
void check_reads_rows_alone(duckdb::ClientContext& context, duckdb::LogicalOperator& plan);

class KeptTables {
    using Key = std::pair<std::string, std::string>;  // schema and table in lower case

  public:
    // A table takes an eighth of `bytes_max` at most. Throws what DuckDB throws.
    KeptTables(duckdb::DatabaseInstance& database, const catalog::Endpoint& catalog, std::size_t bytes_max);
    ~KeptTables();
    KeptTables(const KeptTables&) = delete;
    KeptTables& operator=(const KeptTables&) = delete;

    // While it lives, transactions that begin in the context take the kept tables for the lake.
    class Reading {
      public:
        Reading(KeptTables& tables, duckdb::ClientContext& context, std::uint64_t generation, long long schema,
                std::vector<Key> keys);
        ~Reading();
        Reading(const Reading&) = delete;
        Reading& operator=(const Reading&) = delete;
        // Whether what was bound since reads what read() has found good; if not, it must not be run.
        bool holds() const;

      private:
        KeptTables& tables_;
        duckdb::ClientContext& context_;
        const std::uint64_t generation_;
    };
    // Null: not all that the query names is kept, for now at least.
    std::unique_ptr<Reading> read(duckdb::ClientContext& context, const Mentions& mentions, const AskNewest& ask);
    // A statement that was bound to kept tables is run.
    void count_read() { ++reads_; }

    KeptCounts counts() const;

  private:
    struct Table {
        bool is_valid = false;  // its rows are those of snapshot through_
        bool is_queued = false;
        bool was_read = false;     // since it was loaded
        unsigned asked = 0;        // while it was not valid, since it was queued last
        unsigned asked_min = 0;    // … before it is queued; 0: kAskedMin
        long long number = -1;     // the lake's table_id
        std::size_t bytes = 0;     // in memory, also while it is not valid
        std::uint64_t used = 0;    // by the clock of uses
        std::string schema, name;  // as the lake spells them, while bytes are held
    };

    static std::optional<std::vector<Key>> keys_of(duckdb::ClientContext& context, const Mentions& mentions);
    // REQUIRES: mutex_. Counts the question for those that are not valid.
    bool are_valid(const std::vector<Key>& keys);
    // REQUIRES: mutex_.
    void forget_all();
    void let_go(Table& table);
    void apply(const TableChanges& changes, long long through);
    void make_room(const Key& newcomer);
    // REQUIRES: advancing_, not mutex_.
    bool catch_up(const LakeMoment& newest, long long known_before);
    std::optional<TableChanges> changes_between(long long after, long long upto, long long schema);

    void work();
    void fill(duckdb::Connection& own, const TableCopy& copy);
    void publish(const Key& key, const TableCopy& copy);
    void drop(const std::vector<std::pair<std::string, std::string>>& tables);

    duckdb::DatabaseInstance& database_;
    duckdb::shared_ptr<duckdb::AttachedDatabase> kept_;  // "lake": shared with transactions that read it
    const std::size_t bytes_max_;
    std::atomic<std::uint64_t> generation_ = 0;  // odd while a table is exchanged
    std::atomic<std::uint64_t> reads_ = 0;
    std::atomic<std::uint64_t> loads_ = 0;

    std::mutex advancing_;  // one at a time moves through_; taken before mutex_
    const catalog::Endpoint catalog_;
    std::optional<catalog::Connection> connection_;  // under advancing_

    mutable std::mutex mutex_;  // guards what follows
    std::condition_variable wanted_;
    std::map<Key, Table> tables_;
    std::set<std::string> macros_;  // of the lake, in lower case
    long long schema_ = -1;         // version of the lake's schema that all of this is of
    long long through_ = -1;
    std::uint64_t uses_ = 0;
    std::vector<Key> queue_;
    std::vector<std::pair<std::string, std::string>> to_drop_;
    bool stops_ = false;

    TableReader reader_;  // the worker's
    std::thread worker_;
};

}  // namespace boathouse::engine
