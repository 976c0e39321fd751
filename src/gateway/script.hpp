// The lexical side of what clients send: where one statement of a Query message ends and the next begins, and where the
// words of a statement are.
//
// By PostgreSQL's lexical rules, without its grammar: a statement may be DuckDB's. Views point into the text that was
// given. Pure functions, any thread; nothing fails.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace boathouse::gateway {

struct ScriptPart {
    std::string_view text;
    std::size_t offset = 0;  // of the text in the message, in bytes
};

// Without parts that hold nothing but space and comments.
std::vector<ScriptPart> split_script(std::string_view script);

// Where something else than space and comments stands, from `at` on; the text's end if nothing does.
std::size_t skip_blank(std::string_view text, std::size_t at);

// The first word in lower case; "" if the text begins with something else.
std::string first_word(std::string_view text);

// Where `word` (lower case) stands by itself, outside quotes, comments and parentheses; npos if it does not.
std::size_t find_word(std::string_view text, std::string_view word);

// Where `character` stands outside quotes and comments; npos if it does not.
std::size_t find_outside_quotes(std::string_view text, char character, std::size_t from = 0);

// The parenthesis that closes the one at `open`, quotes and comments skipped; npos if none does.
std::size_t closing_parenthesis(std::string_view text, std::size_t open);

}  // namespace boathouse::gateway
