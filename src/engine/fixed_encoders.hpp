// Encoders for the frequent types that write without asking for room each time; value_encoders.hpp has all types.
//
// Private to src/engine/. Pure functions.
#pragma once

#include "engine/row_encoder.hpp"

namespace boathouse::engine {

// Null where the type has none in this format.
WriteFixed choose_fixed_encoder(const duckdb::LogicalType& type, bool binary);

}  // namespace boathouse::engine
