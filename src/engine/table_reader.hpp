// Reads small tables of the lake whole, for kept_tables.hpp.
//
// Private to src/engine/. Used by one thread, but for interrupt(). Blocks on the catalog and the store.
#pragma once

#include <cstddef>
#include <duckdb.hpp>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "catalog/connection.hpp"

namespace boathouse::engine {

// A table's rows, as of one snapshot.
struct TableCopy {
    std::string schema{}, name{};  // as the lake spells them
    duckdb::vector<std::string> names{};
    duckdb::vector<duckdb::LogicalType> types{};
    duckdb::unique_ptr<duckdb::ColumnDataCollection> rows{};
    std::size_t bytes = 0;  // of memory, as a table of DuckDB's
    long long number = -1;  // table_id
    long long snapshot = -1;
    long long schema_version = -1;   // of the lake's schema
    std::set<std::string> macros{};  // of the lake, in lower case
};

class TableReader {
  public:
    // `database` has the lake attached as "lake".
    TableReader(duckdb::DatabaseInstance& database, catalog::Endpoint catalog, long long rows_max,
                std::size_t bytes_max);
    TableReader(const TableReader&) = delete;
    TableReader& operator=(const TableReader&) = delete;

    enum class Outcome {
        read,
        too_large,
        unfit,   // it is no table, or has a type that DuckDB may keep otherwise than it is read; until the schema moves
        failed,  // whoever asks the lake itself is told what is wrong with it
    };
    // The names in any case.
    Outcome read(const std::string& schema, const std::string& name, TableCopy& copy);

    // Makes what runs, and what is called later, fail. Any thread.
    void interrupt();

  private:
    Outcome read_with(duckdb::Connection& lake, const std::string& schema, const std::string& name, TableCopy& copy);
    Outcome ask_catalog(TableCopy& copy);
    Outcome read_rows(duckdb::Connection& lake, TableCopy& copy) const;

    duckdb::DatabaseInstance& database_;
    const catalog::Endpoint catalog_;
    const long long rows_max_;
    const std::size_t bytes_max_;
    std::optional<catalog::Connection> connection_;

    std::mutex mutex_;                       // guards what follows
    duckdb::Connection* reading_ = nullptr;  // to be interrupted
    bool interrupted_ = false;
};

}  // namespace boathouse::engine
