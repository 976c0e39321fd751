// What NewRows hold. Private to src/engine/.
#pragma once

#include <functional>

#include "engine/new_rows.hpp"
#include "engine/table_shapes.hpp"

namespace boathouse::engine {

struct NewRows::Impl {
    std::shared_ptr<const TableShape> shape;
    duckdb::unique_ptr<duckdb::ColumnDataCollection> rows;
    // Instead, where they are few: a collection sets room aside for 2,048 of them.
    duckdb::unique_ptr<duckdb::DataChunk> few;

    void each_chunk(const std::function<void(duckdb::DataChunk&)>& take) const {
        if (few) return take(*few);
        for (auto& chunk : rows->Chunks()) take(chunk);
    }
};

}  // namespace boathouse::engine
