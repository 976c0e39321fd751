// to_char(number, pattern): PostgreSQL's patterns of 9, 0, commas, points and signs.
//
// Private to src/engine/. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace boathouse::engine {

// `number` as decimal text. Throws duckdb::Exception for parts of a pattern that are not supported (EEEE, RN, TH, V,
// PR). Source: https://www.postgresql.org/docs/15/functions-formatting.html#FUNCTIONS-FORMATTING-NUMERIC-TABLE
std::string format_number(std::string_view number, std::string_view pattern);

}  // namespace boathouse::engine
