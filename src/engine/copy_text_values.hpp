// PostgreSQL's input functions for the types that a COPY FROM meets most often: int4in, float8in, boolin, numeric_in,
// date_in, timestamp_in.
//
// Each reads the whole text, blanks around it allowed, and says whether it is a value of the type. Dates and timestamps
// in the ISO form are read here, other forms by DuckDB. Private to src/engine/; pure functions, any thread.
#pragma once

#include <duckdb.hpp>
#include <string_view>

namespace boathouse::engine::copy_text {

template <class T>
bool integer(std::string_view text, T& value);
template <class T>
bool floating(std::string_view text, T& value);
// As an integer of 10^-scale; false also if it has more than `width` digits.
template <class T>
bool decimal(std::string_view text, int width, int scale, T& value);
bool boolean(std::string_view text, bool& value);
bool date(std::string_view text, duckdb::date_t& value);
bool timestamp(std::string_view text, duckdb::timestamp_t& value);

// Whether a text that was refused was only too large.
bool is_integer(std::string_view text);
bool is_number(std::string_view text);

}  // namespace boathouse::engine::copy_text
