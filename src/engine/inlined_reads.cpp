#include "engine/inlined_reads.hpp"

#include <atomic>
#include <duckdb/catalog/catalog.hpp>
#include <duckdb/catalog/catalog_entry/table_function_catalog_entry.hpp>
#include <string_view>

namespace boathouse::engine {
namespace {

// What DuckLake's extension says when it looks for the first column of an answer that is an error.
constexpr std::string_view kNoColumns = "Attempted to access index 0 within vector of size 0";

// DuckDB's own, the same for all instances of the process.
std::atomic<duckdb::table_function_t> duckdb_scan;
std::atomic<duckdb::table_function_init_local_t> duckdb_begin;

template <class Work>
auto told_as_failed_read(Work work) {
    try {
        return work();
    } catch (const std::exception& exception) {
        const duckdb::ErrorData error(exception);
        if (error.Type() != duckdb::ExceptionType::INTERNAL || error.RawMessage() != kNoColumns) throw;
        throw duckdb::IOException(
            "cannot read the rows of this table that lie in the catalog\n"
            "Try again: the catalog's PostgreSQL may be starting again. What DuckLake never reads back there is "
            "objects "
            "in a json[].");
    }
}

void scan(duckdb::ClientContext& context, duckdb::TableFunctionInput& input, duckdb::DataChunk& output) {
    told_as_failed_read([&] { duckdb_scan.load()(context, input, output); });
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> begin(duckdb::ExecutionContext& context,
                                                          duckdb::TableFunctionInitInput& input,
                                                          duckdb::GlobalTableFunctionState* state) {
    return told_as_failed_read([&] { return duckdb_begin.load()(context, input, state); });
}

}  // namespace

void install_inlined_reads(duckdb::DatabaseInstance& database) {
    duckdb::Connection connection(database);
    connection.context->RunFunctionInTransaction([&] {
        // DuckLake makes its scan of a copy of this one, for each table that is read.
        auto& parquet_scan = duckdb::Catalog::GetEntry<duckdb::TableFunctionCatalogEntry>(
            *connection.context, SYSTEM_CATALOG, DEFAULT_SCHEMA, "parquet_scan");
        for (auto& function : parquet_scan.functions.functions) {
            duckdb_scan = function.function;
            duckdb_begin = function.init_local;
            function.function = scan;
            function.init_local = begin;
        }
    });
}

}  // namespace boathouse::engine
