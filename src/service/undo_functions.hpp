// The part of the schema "boathouse" at the SQL door that brings yesterday back: table_history, table_diff,
// restore_table, undrop_table, undrop_schema.
//
// Made once, by the engine's main thread; the functions run on the threads of statements.
#pragma once

#include <vector>

#include "config/settings.hpp"
#include "engine/box_functions.hpp"
#include "engine/lake.hpp"

namespace boathouse::service {

// `lake` must outlive them.
std::vector<engine::BoxFunction> undo_functions(engine::Lake& lake, const config::Settings& settings);

}  // namespace boathouse::service
