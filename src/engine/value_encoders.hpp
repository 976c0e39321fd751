// One encoder a DuckDB type and format; see row_encoder.hpp for who calls them.
//
// Private to src/engine/. Pure functions.
#pragma once

#include "engine/row_encoder.hpp"

namespace boathouse::engine {

PutValue choose_encoder(const duckdb::LogicalType& type, bool binary);

// Lists (array_encoders.cpp): PostgreSQL's array_out and array_send.
void put_array_text(pgwire::Buffer& out, const ColumnEncoder& column, const Cells& cells, duckdb::idx_t index);
void put_array_binary(pgwire::Buffer& out, const ColumnEncoder& column, const Cells& cells, duckdb::idx_t index);

// Structs, maps and unions (json_encoders.cpp): JSON text, the same in both formats.
void put_json(pgwire::Buffer& out, const ColumnEncoder& column, const Cells& cells, duckdb::idx_t index);

// Where the values of the list at `index` lie in its child vector.
duckdb::list_entry_t list_entry(const ColumnEncoder& column, const Cells& cells, duckdb::idx_t index);

}  // namespace boathouse::engine
