// Makes rows of a table from columns whose values are of other types, each value by itself: what cannot be cast is told
// by row and column, and the rest is not lost for it.
//
// Private to src/engine/. A RowCasts serves one call of Session::take_rows() or its kin, on one thread; it is given the
// rows chunk by chunk and keeps the good ones. Throws what DuckDB throws.
#pragma once

#include <duckdb.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/session.hpp"
#include "engine/table_shapes.hpp"

namespace boathouse::engine {

class RowCasts {
  public:
    // `defaults`: a value for each of the table's columns, of its type.
    RowCasts(duckdb::ClientContext& context, std::shared_ptr<const TableShape> shape,
             std::vector<duckdb::Value> defaults);

    // One of the given columns: which of the table's it is, and which rows of the chunk leave it out.
    struct Given {
        std::size_t target = 0;
        duckdb::Vector* values = nullptr;
        const std::vector<bool>* absent = nullptr;  // null: none does
    };
    // `places`: of the chunk's rows in the body. `faulty`: rows that are known to be no good; more are marked.
    void add(const std::vector<Given>& columns, const std::vector<std::uint64_t>& places, std::vector<bool>& faulty);

    // A fault that was found elsewhere. Counts its row unless it is counted already.
    void fault(std::uint64_t place, const std::string& column, QueryError error);
    TakenRows finish();

  private:
    void cast(const Given& column, duckdb::Vector& result, const std::vector<std::uint64_t>& places,
              std::vector<bool>& faulty);
    void refuse_nulls(duckdb::DataChunk& chunk, const std::vector<std::uint64_t>& places, std::vector<bool>& faulty);

    duckdb::ClientContext& context_;
    const std::shared_ptr<const TableShape> shape_;
    const std::vector<duckdb::Value> defaults_;
    duckdb::unique_ptr<duckdb::ColumnDataCollection> rows_;
    duckdb::ColumnDataAppendState append_;
    TakenRows taken_;
};

}  // namespace boathouse::engine
