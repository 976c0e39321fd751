// SIMILAR TO's patterns as regular expressions.
//
// Private to src/engine/. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace boathouse::engine {

// % and _ become .* and ., a backslash keeps the next character as it is, what is special in regular expressions alone
// (. ^ $) loses that. Source: https://www.postgresql.org/docs/15/functions-matching.html#FUNCTIONS-SIMILARTO-REGEXP
std::string similar_to_regex(std::string_view pattern);

}  // namespace boathouse::engine
