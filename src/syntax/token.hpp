// A text as PostgreSQL's lexer cuts it: words, constants, operators, each with its place.
//
// Comments and space are left out. The cut is what rewriting stands on: the parse tree says where an expression begins,
// the tokens say where it ends. Pure functions; any thread.
#pragma once

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace boathouse::syntax {

struct Token {
    PgQuery__Token kind = PG_QUERY__TOKEN__NUL;
    std::size_t begin = 0;  // in bytes
    std::size_t end = 0;
    bool is_name = false;  // a keyword that may be the name of a column or of a table
};

// nullopt where PostgreSQL's lexer gives up: an unterminated quote or comment, a malformed escape.
std::optional<std::vector<Token>> scan(std::string_view text);

// How deep a parse tree of these tokens can be, at most: parentheses, CASE, operators in a row, set operations in a
// row.
std::size_t nesting_of(const std::vector<Token>& tokens);

}  // namespace boathouse::syntax
