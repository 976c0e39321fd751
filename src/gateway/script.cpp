#include "gateway/script.hpp"

#include <pg_query.h>

#include <algorithm>
#include <cctype>

namespace boathouse::gateway {

namespace {

bool is_letter(char byte) {
    return std::isalnum(static_cast<unsigned char>(byte)) || byte == '_' || (static_cast<unsigned char>(byte) & 0x80);
}

// Behind a comment that nests, as PostgreSQL's do; `at` is on its first character.
std::size_t skip_block_comment(std::string_view text, std::size_t at) {
    int depth = 1;
    at += 2;
    while (at < text.size() && depth > 0) {
        if (text.substr(at, 2) == "/*") {
            ++depth;
            at += 2;
        } else if (text.substr(at, 2) == "*/") {
            --depth;
            at += 2;
        } else {
            ++at;
        }
    }
    return at;
}

}  // namespace

std::size_t skip_blank(std::string_view text, std::size_t at) {
    while (at < text.size()) {
        if (std::isspace(static_cast<unsigned char>(text[at]))) {
            ++at;
        } else if (text.substr(at, 2) == "--") {
            at = std::min(text.find('\n', at), text.size());
        } else if (text.substr(at, 2) == "/*") {
            at = skip_block_comment(text, at);
        } else {
            return at;
        }
    }
    return at;
}

namespace {

// Behind the quote that opens at `at`; a doubled quote reads as two texts side by side, which does no harm here.
std::size_t skip_quoted(std::string_view text, std::size_t at) {
    const char quote = text[at];
    const bool escapes = quote == '\'' && at > 0 && (text[at - 1] == 'e' || text[at - 1] == 'E') &&
                         (at == 1 || !is_letter(text[at - 2]));
    for (++at; at < text.size() && text[at] != quote; ++at) {
        if (escapes && text[at] == '\\') ++at;
    }
    return std::min(at + 1, text.size());
}

// Behind $tag$ … $tag$; `at` itself where none begins.
std::size_t skip_dollar_quoted(std::string_view text, std::size_t at) {
    std::size_t end = at + 1;
    while (end < text.size() && is_letter(text[end])) ++end;
    if (end >= text.size() || text[end] != '$') return at;
    if (end > at + 1 && std::isdigit(static_cast<unsigned char>(text[at + 1]))) return at;
    const std::string_view tag = text.substr(at, end + 1 - at);
    const std::size_t close = text.find(tag, end + 1);
    return close == std::string_view::npos ? text.size() : close + tag.size();
}

// Behind the quote or comment that begins at `at`; `at` itself where none does.
std::size_t skip_opaque(std::string_view text, std::size_t at) {
    if (text[at] == '\'' || text[at] == '"') return skip_quoted(text, at);
    if (text[at] == '$' && (at == 0 || !is_letter(text[at - 1]))) return skip_dollar_quoted(text, at);
    if (text.substr(at, 2) == "--" || text.substr(at, 2) == "/*") return skip_blank(text, at);
    return at;
}

struct FreeSplit {
    PgQuerySplitResult result;
    ~FreeSplit() { pg_query_free_split_result(result); }
};

}  // namespace

std::vector<ScriptPart> split_script(std::string_view script) {
    std::vector<ScriptPart> parts;
    const auto add = [&](std::size_t offset, std::size_t length) {
        const std::size_t begin = skip_blank(script.substr(0, offset + length), offset);
        if (begin < offset + length) parts.push_back({script.substr(begin, offset + length - begin), begin});
    };
    const std::size_t semicolon = script.find(';');
    if (semicolon == std::string_view::npos) {
        add(0, script.size());
        return parts;
    }
    if (skip_blank(script, semicolon + 1) == script.size()) {
        add(0, semicolon);
        return parts;
    }
    const FreeSplit split{pg_query_split_with_scanner(std::string(script).c_str())};
    if (split.result.error) {
        // An unterminated quote or comment: whole, for a parser that says so.
        add(0, script.size());
        return parts;
    }
    for (int i = 0; i < split.result.n_stmts; ++i) {
        const PgQuerySplitStmt& statement = *split.result.stmts[i];
        add(static_cast<std::size_t>(statement.stmt_location), static_cast<std::size_t>(statement.stmt_len));
    }
    return parts;
}

std::string first_word(std::string_view text) {
    std::string word;
    for (std::size_t at = skip_blank(text, 0); at < text.size() && std::isalpha(static_cast<unsigned char>(text[at]));
         ++at) {
        word += static_cast<char>(std::tolower(static_cast<unsigned char>(text[at])));
    }
    return word;
}

std::size_t find_word(std::string_view text, std::string_view word) {
    int depth = 0;
    for (std::size_t at = 0; at < text.size();) {
        if (const std::size_t behind = skip_opaque(text, at); behind != at) {
            at = behind;
            continue;
        }
        if (!is_letter(text[at])) {
            if (text[at] == '(') ++depth;
            if (text[at] == ')') --depth;
            ++at;
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && is_letter(text[end])) ++end;
        const std::string_view found = text.substr(at, end - at);
        const bool same = std::equal(found.begin(), found.end(), word.begin(), word.end(), [](char left, char right) {
            return std::tolower(static_cast<unsigned char>(left)) == right;
        });
        if (depth == 0 && same) return at;
        at = end;
    }
    return std::string_view::npos;
}

std::size_t find_outside_quotes(std::string_view text, char character, std::size_t from) {
    for (std::size_t at = from; at < text.size();) {
        if (const std::size_t behind = skip_opaque(text, at); behind != at) {
            at = behind;
        } else if (text[at] == character) {
            return at;
        } else {
            ++at;
        }
    }
    return std::string_view::npos;
}

std::size_t closing_parenthesis(std::string_view text, std::size_t open) {
    int depth = 0;
    for (std::size_t at = open; at < text.size();) {
        if (const std::size_t behind = skip_opaque(text, at); behind != at) {
            at = behind;
            continue;
        }
        if (text[at] == '(') ++depth;
        if (text[at] == ')' && --depth == 0) return at;
        ++at;
    }
    return std::string_view::npos;
}

}  // namespace boathouse::gateway
