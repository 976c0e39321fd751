// to_char, to_date and to_timestamp: PostgreSQL's patterns become DuckDB's strftime and strptime when the statement is
// read, so that nothing is left of the pattern at run time and a kept view is readable by every client.
#include <array>
#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/constant_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>

#include "engine/postgres_meaning.hpp"

namespace boathouse::engine {

using duckdb::FunctionExpression;
using duckdb::LogicalType;

namespace {

enum class Case { as_is, upper, lower };

// A word of a pattern. Source: https://www.postgresql.org/docs/15/functions-formatting.html, table 9.27
struct Word {
    std::string_view text;
    const char* directive;          // of strftime; empty: see `function`
    const char* without_fill = "";  // the directive after FM
    Case letters = Case::as_is;
    int padded = 0;             // to this many characters, without FM
    const char* function = "";  // a function of the date, whose number is written
    bool parses = true;         // strptime takes the directive
};

constexpr std::array kWords = {
    Word{"HH24", "%H", "%-H"},
    Word{"HH12", "%I", "%-I"},
    Word{"HH", "%I", "%-I"},
    Word{"MI", "%M", "%-M"},
    Word{"SS", "%S", "%-S"},
    Word{"MS", "%g"},
    Word{"US", "%f"},
    Word{"AM", "%p"},
    Word{"PM", "%p"},
    Word{"am", "%p", "", Case::lower},
    Word{"pm", "%p", "", Case::lower},
    Word{"YYYY", "%Y"},
    Word{"IYYY", "%G", "", Case::as_is, 0, "", false},
    Word{"YY", "%y"},
    Word{"MONTH", "%B", "", Case::upper, 9},
    Word{"Month", "%B", "", Case::as_is, 9},
    Word{"month", "%B", "", Case::lower, 9},
    Word{"MON", "%b", "", Case::upper},
    Word{"Mon", "%b"},
    Word{"mon", "%b", "", Case::lower},
    Word{"MM", "%m", "%-m"},
    Word{"DAY", "%A", "", Case::upper, 9},
    Word{"Day", "%A", "", Case::as_is, 9},
    Word{"day", "%A", "", Case::lower, 9},
    Word{"DY", "%a", "", Case::upper},
    Word{"Dy", "%a"},
    Word{"dy", "%a", "", Case::lower},
    Word{"DDD", "%j", "%-j"},
    Word{"DD", "%d", "%-d"},
    Word{"ID", "%u", "", Case::as_is, 0, "", false},
    Word{"IW", "%V", "", Case::as_is, 0, "", false},
    Word{"Q", "", "", Case::as_is, 0, "quarter", false},
    Word{"TZ", "%Z", "", Case::as_is, 0, "", false},
};

struct Piece {
    const Word* word = nullptr;  // null: `text`
    std::string text;
    bool fill = true;
};

const Word* word_at(std::string_view pattern) {
    for (const Word& word : kWords) {
        if (pattern.starts_with(word.text)) return &word;
    }
    // Only names of months and days tell cases apart.
    const std::string upper = duckdb::StringUtil::Upper(std::string(pattern.substr(0, 5)));
    for (const Word& word : kWords) {
        if (word.letters == Case::as_is && upper.starts_with(word.text)) return &word;
    }
    return nullptr;
}

std::vector<Piece> split_pattern(std::string_view pattern) {
    std::vector<Piece> pieces;
    bool fill = true;
    for (std::size_t at = 0; at < pattern.size();) {
        const std::string_view rest = pattern.substr(at);
        if (rest.starts_with("FM") || rest.starts_with("fm")) {
            fill = false;
            at += 2;
            continue;
        }
        if (rest[0] == '"') {
            const std::size_t end = std::min(rest.find('"', 1), rest.size());
            pieces.push_back({nullptr, std::string(rest.substr(1, end - 1))});
            at += end + 1;
            continue;
        }
        const Word* const word = word_at(rest);
        if (!word && std::isalpha(static_cast<unsigned char>(rest[0])) && rest[0] != 'T') {
            throw duckdb::NotImplementedException("this part of a date's pattern is not supported: \"%s\"",
                                                  std::string(rest));
        }
        pieces.push_back({word, word ? std::string() : std::string(1, rest[0]), fill});
        if (word) fill = true;
        at += word ? word->text.size() : 1;
    }
    return pieces;
}

const char* directive_of(const Piece& piece) {
    return !piece.fill && *piece.word->without_fill ? piece.word->without_fill : piece.word->directive;
}

void add_literal(std::string& format, const std::string& text) {
    for (const char letter : text) format += letter == '%' ? std::string("%%") : std::string(1, letter);
}

bool is_plain(const Piece& piece) {
    if (!piece.word) return true;
    const bool padded = piece.word->padded > 0 && piece.fill;
    return *piece.word->directive && piece.word->letters == Case::as_is && !padded;
}

ParsedPointer call(const char* function, ParsedPointer first, ParsedPointer second = nullptr,
                   ParsedPointer third = nullptr) {
    duckdb::vector<ParsedPointer> arguments;
    arguments.push_back(std::move(first));
    if (second) arguments.push_back(std::move(second));
    if (third) arguments.push_back(std::move(third));
    return make_call(function, std::move(arguments));
}

// A word that strftime alone does not write.
ParsedPointer write_word(const Piece& piece, const duckdb::ParsedExpression& date) {
    if (*piece.word->function) {
        return duckdb::make_uniq<duckdb::CastExpression>(LogicalType::VARCHAR, call(piece.word->function, date.Copy()));
    }
    ParsedPointer text = call("strftime", date.Copy(), make_text(directive_of(piece)));
    if (piece.word->letters == Case::upper) text = call("upper", std::move(text));
    if (piece.word->letters == Case::lower) text = call("lower", std::move(text));
    if (piece.word->padded > 0 && piece.fill) {
        auto length = duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::INTEGER(piece.word->padded));
        text = call("rpad", std::move(text), std::move(length), make_text(" "));
    }
    return text;
}

ParsedPointer write_date(const std::vector<Piece>& pieces, const duckdb::ParsedExpression& date) {
    duckdb::vector<ParsedPointer> parts;
    std::string format;
    const auto flush = [&] {
        if (!format.empty()) parts.push_back(call("strftime", date.Copy(), make_text(format)));
        format.clear();
    };
    for (const Piece& piece : pieces) {
        if (!is_plain(piece)) {
            flush();
            parts.push_back(write_word(piece, date));
        } else if (piece.word) {
            format += directive_of(piece);
        } else {
            add_literal(format, piece.text);
        }
    }
    flush();
    if (parts.empty()) return make_text("");
    ParsedPointer whole = std::move(parts[0]);
    for (std::size_t i = 1; i < parts.size(); ++i) whole = call("||", std::move(whole), std::move(parts[i]));
    return whole;
}

std::string parse_format(const std::vector<Piece>& pieces) {
    std::string format;
    for (const Piece& piece : pieces) {
        if (!piece.word) {
            add_literal(format, piece.text);
        } else if (!piece.word->parses) {
            throw duckdb::NotImplementedException("to_date and to_timestamp cannot read \"%s\"",
                                                  std::string(piece.word->text));
        } else {
            format += piece.word->directive;
        }
    }
    return format;
}

}  // namespace

bool rewrite_date_pattern(ParsedPointer& expression) {
    if (expression->GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) return false;
    auto& function = expression->Cast<FunctionExpression>();
    const bool writes = function.function_name == "to_char";
    const bool reads = function.function_name == "to_date" || function.function_name == "to_timestamp";
    if ((!writes && !reads) || function.children.size() != 2) return false;
    const std::optional<std::string> pattern = constant_text(*function.children[1]);
    if (!pattern) throw duckdb::NotImplementedException("%s takes a constant pattern only", function.function_name);
    const std::string alias = expression->GetAlias();
    if (writes && pattern->find_first_of("90") != std::string::npos) {
        ParsedPointer number =
            duckdb::make_uniq<duckdb::CastExpression>(LogicalType::VARCHAR, std::move(function.children[0]));
        expression = call("boathouse_number_by_pattern", std::move(number), make_text(*pattern));
    } else if (writes) {
        expression = write_date(split_pattern(*pattern), *function.children[0]);
    } else {
        const LogicalType type = function.function_name == "to_date" ? LogicalType::DATE : LogicalType::TIMESTAMP_TZ;
        ParsedPointer parsed =
            call("strptime", std::move(function.children[0]), make_text(parse_format(split_pattern(*pattern))));
        expression = duckdb::make_uniq<duckdb::CastExpression>(type, std::move(parsed));
    }
    expression->SetAlias(alias);
    return true;
}

}  // namespace boathouse::engine
