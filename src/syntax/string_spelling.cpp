// Strings with Unicode escapes, E'\u00e4' and U&'\00e4': DuckDB's parser has no code for them, so they become the
// characters that they name.
#include <cctype>
#include <cstdint>
#include <optional>

#include "syntax/families.hpp"

namespace boathouse::syntax {

namespace {

void append_utf8(std::string& text, std::uint32_t code) {
    if (code < 0x80) {
        text += static_cast<char>(code);
    } else if (code < 0x800) {
        text += static_cast<char>(0xC0 | code >> 6);
        text += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        text += static_cast<char>(0xE0 | code >> 12);
        text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
        text += static_cast<char>(0x80 | (code & 0x3F));
    } else {
        text += static_cast<char>(0xF0 | code >> 18);
        text += static_cast<char>(0x80 | (code >> 12 & 0x3F));
        text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
        text += static_cast<char>(0x80 | (code & 0x3F));
    }
}

// The number of `length` hexadecimal digits at `at`; nullopt if they are not all there.
std::optional<std::uint32_t> read_hex(std::string_view text, std::size_t at, std::size_t length) {
    if (at + length > text.size()) return std::nullopt;
    std::uint32_t number = 0;
    for (const char digit : text.substr(at, length)) {
        if (!std::isxdigit(static_cast<unsigned char>(digit))) return std::nullopt;
        number = number * 16 + static_cast<std::uint32_t>(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
    }
    return number;
}

constexpr std::uint32_t kCodeMax = 0x10FFFF;

bool is_high_surrogate(std::uint32_t code) {
    return code >= 0xD800 && code < 0xDC00;
}
bool is_low_surrogate(std::uint32_t code) {
    return code >= 0xDC00 && code < 0xE000;
}

// How an escape is written: the digits after its mark.
struct Escape {
    std::uint32_t code = 0;
    std::size_t length = 0;  // of all of it; 0: there is none
};

// \uXXXX and \UXXXXXXXX.
Escape escape_of_e(std::string_view text, std::size_t at) {
    if (text[at] != '\\' || at + 1 >= text.size() || (text[at + 1] != 'u' && text[at + 1] != 'U')) return {};
    const std::size_t digits = text[at + 1] == 'u' ? 4 : 8;
    const auto code = read_hex(text, at + 2, digits);
    return code ? Escape{*code, digits + 2} : Escape{};
}

// \XXXX and \+XXXXXX.
Escape escape_of_u(std::string_view text, std::size_t at) {
    if (text[at] != '\\') return {};
    const bool long_form = at + 1 < text.size() && text[at + 1] == '+';
    const std::size_t digits = long_form ? 6 : 4;
    const std::size_t mark = long_form ? 2 : 1;
    const auto code = read_hex(text, at + mark, digits);
    return code ? Escape{*code, digits + mark} : Escape{};
}

// `word` with its Unicode escapes resolved; those of other kinds stay. `doubled`: \\ stands for one backslash.
std::optional<std::string> resolve(std::string_view word, Escape (*escape_at)(std::string_view, std::size_t),
                                   bool doubled) {
    std::string text;
    for (std::size_t at = 0; at < word.size();) {
        Escape escape = escape_at(word, at);
        if (escape.length == 0) {
            const bool pair = word[at] == '\\' && at + 1 < word.size();
            if (pair && doubled && word[at + 1] != '\\') return std::nullopt;
            text += word[at];
            if (pair && !doubled) text += word[at + 1];
            at += pair ? 2 : 1;
            continue;
        }
        at += escape.length;
        if (is_high_surrogate(escape.code) && at < word.size()) {
            const Escape low = escape_at(word, at);
            if (low.length == 0 || !is_low_surrogate(low.code)) return std::nullopt;
            escape.code = 0x10000 + ((escape.code & 0x3FF) << 10) + (low.code & 0x3FF);
            at += low.length;
        }
        if (escape.code == 0 || escape.code > kCodeMax || is_low_surrogate(escape.code)) return std::nullopt;
        if (escape.code == '\'') text += '\'';  // doubled inside of quotes
        if (escape.code == '\\' && !doubled) text += '\\';
        append_utf8(text, escape.code);
    }
    return text;
}

// After the closing quote of U&'…' at `begin`. The scanner says where such a string begins, and not where it ends.
std::size_t end_of_quotes(std::string_view text, std::size_t begin) {
    std::size_t at = begin + 3;
    while (at < text.size()) {
        if (text[at++] != '\'') continue;
        if (at == text.size() || text[at] != '\'') return at;
        ++at;  // a doubled quote
    }
    return text.size();
}

}  // namespace

Step rewrite_strings(Draft& draft) {
    for (std::size_t index = 0; index < draft.tokens.size(); ++index) {
        const Token& token = draft.tokens[index];
        const std::size_t end =
            token.kind == PG_QUERY__TOKEN__USCONST ? end_of_quotes(draft.text, token.begin) : token.end;
        const std::string_view word = draft.text.substr(token.begin, end - token.begin);
        const bool is_e = token.kind == PG_QUERY__TOKEN__SCONST && (word.starts_with("E'") || word.starts_with("e'"));
        const bool is_u = token.kind == PG_QUERY__TOKEN__USCONST;
        if (!is_e && !is_u) continue;
        if (is_u && index + 1 < draft.tokens.size() && draft.tokens[index + 1].kind == PG_QUERY__TOKEN__UESCAPE)
            return Refusal{"0A000", "UESCAPE is not supported", "Use backslashes.", draft.tokens[index + 1].begin};
        const bool has_escape = word.find("\\u") != word.npos || word.find("\\U") != word.npos;
        if (is_e && !has_escape) continue;
        const std::optional<std::string> text =
            is_e ? resolve(word, escape_of_e, false) : resolve(word.substr(2), escape_of_u, true);
        if (!text) return Refusal{"42601", "invalid Unicode escape", "", token.begin};
        draft.splices.replace(token.begin, end, *text);
    }
    return {};
}

}  // namespace boathouse::syntax
