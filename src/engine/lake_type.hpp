// The types of DuckLake's catalog ("int32", "decimal(10,2)", "list") in PostgreSQL's terms, by the same table that
// describes the columns of results, so that a column has one type wherever a client asks for it.
//
// Pure function, any thread. A name that this version does not know goes as text, as its values would.
#pragma once

#include <string>

#include "pgwire/backend.hpp"

namespace boathouse::engine {

// `type` as ducklake_column.column_type has it; of a list, the type of its innermost values, and `is_list`.
pgwire::ColumnDescription describe_lake_column(const std::string& name, const std::string& type, bool is_list);

}  // namespace boathouse::engine
