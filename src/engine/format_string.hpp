// The first argument of PostgreSQL's format(), taken apart.
//
// Private to src/engine/. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace boathouse::engine {

struct FormatPiece {
    std::string text;          // where argument is 0
    std::size_t argument = 0;  // from 1
    char conversion = 's';     // s, I or L
};

// Throws duckdb::Exception for a conversion that PostgreSQL does not know, and for widths.
// Source: https://www.postgresql.org/docs/15/functions-string.html#FUNCTIONS-STRING-FORMAT
std::vector<FormatPiece> split_format(std::string_view format);

}  // namespace boathouse::engine
