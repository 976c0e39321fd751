// What NewRows hold. Private to src/engine/.
#pragma once

#include "engine/new_rows.hpp"
#include "engine/table_shapes.hpp"

namespace boathouse::engine {

struct NewRows::Impl {
    std::shared_ptr<const TableShape> shape;
    duckdb::unique_ptr<duckdb::ColumnDataCollection> rows;
};

}  // namespace boathouse::engine
