// Names that PostgreSQL takes as they stand and DuckDB's grammar does not: columns called at, show or qualify, which
// are words of DuckDB's, go between quotes.
#include <algorithm>
#include <array>
#include <cctype>

#include "syntax/families.hpp"

namespace boathouse::syntax {

namespace {

std::string lower(std::string_view word) {
    std::string text(word);
    for (char& byte : text) byte = static_cast<char>(std::tolower(static_cast<unsigned char>(byte)));
    return text;
}

// Reserved in DuckDB; in PostgreSQL no keyword, so in a text that its parser takes they are names.
bool is_reserved_in_duckdb(std::string_view word) {
    static constexpr std::array<std::string_view, 9> kWords{
        "describe", "glob", "lambda", "pivot", "pivot_longer", "pivot_wider", "qualify", "summarize", "unpivot"};
    return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

// A keyword of both, a name but for the place where PostgreSQL has a meaning for it: AT TIME ZONE, SHOW ….
bool is_keyword_as_name(const std::vector<Token>& tokens, std::size_t index) {
    if (tokens[index].kind == PG_QUERY__TOKEN__SHOW) return index > 0;
    if (tokens[index].kind != PG_QUERY__TOKEN__AT) return false;
    return index + 2 >= tokens.size() || tokens[index + 1].kind != PG_QUERY__TOKEN__TIME ||
           tokens[index + 2].kind != PG_QUERY__TOKEN__ZONE;
}

bool is_name_to_quote(const Draft& draft, std::size_t index) {
    const Token& token = draft.tokens[index];
    if (token.kind != PG_QUERY__TOKEN__IDENT) return is_keyword_as_name(draft.tokens, index);
    return is_reserved_in_duckdb(lower(draft.word(token)));
}

}  // namespace

bool holds_reserved_names(const Draft& draft) {
    for (std::size_t index = 0; index < draft.tokens.size(); ++index) {
        if (is_name_to_quote(draft, index)) return true;
    }
    return false;
}

Step rewrite_names(Draft& draft, const ProtobufCMessage&) {
    for (std::size_t index = 0; index < draft.tokens.size(); ++index) {
        const Token& token = draft.tokens[index];
        if (is_name_to_quote(draft, index))
            draft.splices.replace(token.begin, token.end, "\"" + lower(draft.word(token)) + "\"");
    }
    return {};
}

}  // namespace boathouse::syntax
