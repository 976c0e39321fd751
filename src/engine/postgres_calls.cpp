// Functions that DuckDB has under another name, with other arguments, or with another meaning under the same name.
#include <algorithm>
#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/constant_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/expression/operator_expression.hpp>
#include <duckdb/parser/expression/window_expression.hpp>
#include <unordered_map>

#include "engine/format_string.hpp"
#include "engine/postgres_meaning.hpp"

namespace boathouse::engine {

using duckdb::ExpressionType;
using duckdb::FunctionExpression;
using duckdb::LogicalType;

namespace {

// Functions of DuckDB that mean the same: every client of the lake has them.
const std::unordered_map<std::string, const char*>& namesakes() {
    static const std::unordered_map<std::string, const char*> kNamesakes = {
        {"btrim", "trim"},
        {"every", "bool_and"},
        {"date_bin", "time_bucket"},
        {"char_length", "length"},
        {"character_length", "length"},
        {"json_build_object", "json_object"},
        {"jsonb_build_object", "json_object"},
        {"json_build_array", "json_array"},
        {"jsonb_build_array", "json_array"},
        {"json_agg", "json_group_array"},
        {"jsonb_agg", "json_group_array"},
        {"json_object_agg", "json_group_object"},
        {"jsonb_object_agg", "json_group_object"},
        {"jsonb_array_length", "json_array_length"},
        {"to_jsonb", "to_json"},
        {"jsonb_pretty", "json_pretty"},
        {"clock_timestamp", "now"},
        {"statement_timestamp", "now"},
        {"transaction_timestamp", "now"},
    };
    return kNamesakes;
}

// Functions of DuckDB whose namesake in PostgreSQL means something else: postgres_macros.cpp has PostgreSQL's.
struct Stand {
    const char* function;
    std::size_t arguments;  // with which PostgreSQL's is meant; 0: with any
};
const std::unordered_map<std::string, Stand>& stands() {
    static const std::unordered_map<std::string, Stand> kStands = {
        {"sum", {"boathouse_sum", 1}},
        {"to_hex", {"boathouse_to_hex", 1}},
        {"sha256", {"boathouse_sha256", 1}},
        {"encode", {"boathouse_encode", 2}},
        {"decode", {"boathouse_decode", 2}},
        {"array_length", {"boathouse_array_length", 2}},
        {"array_to_string", {"boathouse_array_to_string", 3}},
        {"string_to_array", {"boathouse_string_to_array", 0}},
        {"cardinality", {"boathouse_cardinality", 1}},
        {"round", {"boathouse_round", 1}},
        {"date_trunc", {"boathouse_date_trunc", 3}},
        {"pg_typeof", {"boathouse_typeof", 1}},
        {"chr", {"boathouse_chr", 1}},
        {"split_part", {"boathouse_split_part", 3}},
        {"substr", {"boathouse_substr", 0}},
    };
    return kStands;
}

// Functions whose result PostgreSQL calls an integer, DuckDB a bigint.
constexpr std::string_view kIntegers[] = {
    "length",     "strpos",      "position",    "ascii",       "array_position", "array_length", "json_array_length",
    "bit_length", "array_upper", "array_lower", "cardinality", "octet_length",   "char_length",  "character_length"};

bool has_groups(const std::string& regex) {
    for (std::size_t at = 0; at < regex.size(); ++at) {
        if (regex[at] == '\\') {
            ++at;
        } else if (regex[at] == '(' && regex.substr(at + 1, 2) != "?:") {
            return true;
        }
    }
    return false;
}

ParsedPointer make_integer(std::int32_t number) {
    return duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::INTEGER(number));
}

// substring(text FROM regular expression): the first group, or the whole match; NULL without one.
bool rewrite_substring(FunctionExpression& function) {
    if (function.function_name != "substring" || function.children.size() != 2) return false;
    const std::optional<std::string> pattern = constant_text(*function.children[1]);
    const auto& second = *function.children[1];
    if (!pattern || second.Cast<duckdb::ConstantExpression>().value.type().id() != duckdb::LogicalTypeId::VARCHAR)
        return false;
    function.function_name = "boathouse_regex_part";
    function.children.push_back(make_integer(has_groups(*pattern) ? 1 : 0));
    return true;
}

// The groups of a regular expression, or if it has none the whole match, as numbers.
ParsedPointer groups_of(const std::string& pattern) {
    const bool groups = has_groups(pattern);
    std::int32_t count = groups ? 0 : 1;
    for (std::size_t at = 0; groups && at < pattern.size(); ++at) {
        if (pattern[at] == '\\')
            ++at;
        else if (pattern[at] == '(' && pattern.substr(at + 1, 1) != "?")
            ++count;
    }
    duckdb::vector<ParsedPointer> numbers;
    for (std::int32_t group = 0; group < count; ++group) numbers.push_back(make_integer(groups ? group + 1 : 0));
    return make_call("list_value", std::move(numbers));
}

// What the arguments of regexp_match() and regexp_matches() say, who take constants only.
struct RegexArguments {
    std::string pattern;
    bool every = false;  // the flag 'g'
};

RegexArguments regex_arguments(FunctionExpression& function) {
    const std::string& name = function.function_name;
    const std::optional<std::string> pattern = constant_text(*function.children[1]);
    if (!pattern) throw duckdb::NotImplementedException("%s takes a constant pattern only", name);
    RegexArguments arguments{*pattern};
    if (function.children.size() < 3) return arguments;
    const std::optional<std::string> flags = constant_text(*function.children[2]);
    if (!flags || flags->find_first_not_of("gi") != std::string::npos)
        throw duckdb::NotImplementedException("%s takes the flags 'g' and 'i' only", name);
    arguments.every = flags->find('g') != std::string::npos;
    if (flags->find('i') != std::string::npos) arguments.pattern.insert(0, "(?i)");
    return arguments;
}

// regexp_match(text, regular expression): the groups, or the whole match, as an array; NULL without a match.
bool rewrite_regexp_match(FunctionExpression& function) {
    if (function.function_name != "regexp_match" || function.children.size() < 2) return false;
    const RegexArguments arguments = regex_arguments(function);
    if (arguments.every) throw duckdb::InvalidInputException("regexp_match() does not support the \"global\" option");
    function.children.resize(1);
    function.children.push_back(make_text(arguments.pattern));
    function.children.push_back(groups_of(arguments.pattern));
    function.function_name = "boathouse_regexp_match";
    return true;
}

// regexp_like(text, regular expression): in PostgreSQL a dot stands for a line's end too.
bool rewrite_regexp_like(FunctionExpression& function) {
    if (function.function_name != "regexp_like" || function.children.size() < 2) return false;
    const std::optional<std::string> flags =
        function.children.size() == 2 ? std::string() : constant_text(*function.children[2]);
    if (!flags) throw duckdb::NotImplementedException("regexp_like takes constant flags only");
    function.children.resize(2);
    function.children.push_back(make_text("s" + *flags));
    function.function_name = "regexp_matches";
    return true;
}

// extract(second FROM …) has a fraction in PostgreSQL, date_part() in DuckDB has none; so with milliseconds.
bool rewrite_seconds(ParsedPointer& expression, FunctionExpression& function) {
    if (function.function_name != "date_part" || function.children.size() != 2) return false;
    const std::string unit = duckdb::StringUtil::Lower(constant_text(*function.children[0]).value_or(""));
    const bool seconds = unit == "second" || unit == "seconds" || unit == "sec" || unit == "secs" || unit == "s";
    const bool thousandths = unit == "millisecond" || unit == "milliseconds" || unit == "msec" || unit == "ms";
    if (!seconds && !thousandths) return false;
    function.children[0] = make_text("microseconds");
    duckdb::vector<ParsedPointer> quotient;
    quotient.push_back(duckdb::make_uniq<duckdb::CastExpression>(LogicalType::DOUBLE, std::move(expression)));
    quotient.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::DOUBLE(seconds ? 1e6 : 1e3)));
    expression = duckdb::make_uniq<FunctionExpression>("/", std::move(quotient));
    return true;
}

ParsedPointer concatenate(ParsedPointer left, ParsedPointer right) {
    duckdb::vector<ParsedPointer> sides;
    sides.push_back(std::move(left));
    sides.push_back(std::move(right));
    return duckdb::make_uniq<FunctionExpression>("||", std::move(sides));
}

// The JSON of a value as a text, "null" for NULL.
ParsedPointer json_text(ParsedPointer value) {
    duckdb::vector<ParsedPointer> json;
    json.push_back(std::move(value));
    duckdb::vector<ParsedPointer> choices;
    choices.push_back(
        duckdb::make_uniq<duckdb::CastExpression>(LogicalType::VARCHAR, make_call("to_json", std::move(json))));
    choices.push_back(make_text("null"));
    return duckdb::make_uniq<duckdb::OperatorExpression>(ExpressionType::OPERATOR_COALESCE, std::move(choices));
}

// json_agg(… ORDER BY …), FILTER and DISTINCT: DuckDB's json_group_array is a macro, which takes none of them.
bool rewrite_json_aggregate(ParsedPointer& expression, FunctionExpression& function) {
    const std::string& name = function.function_name;
    const bool is_list = name == "json_agg" || name == "jsonb_agg";
    const bool is_object = name == "json_object_agg" || name == "jsonb_object_agg";
    if (function.children.size() != (is_object ? 2U : 1U) || (!is_list && !is_object)) return false;
    const bool is_plain =
        !function.filter && !function.distinct && (!function.order_bys || function.order_bys->orders.empty());
    if (is_plain) return false;
    ParsedPointer piece = json_text(std::move(function.children.back()));
    if (is_object) {
        ParsedPointer key = json_text(
            duckdb::make_uniq<duckdb::CastExpression>(LogicalType::VARCHAR, std::move(function.children.front())));
        piece = concatenate(concatenate(std::move(key), make_text(":")), std::move(piece));
    }
    function.function_name = "string_agg";
    function.children.clear();
    function.children.push_back(std::move(piece));
    function.children.push_back(make_text(","));
    ParsedPointer whole =
        concatenate(concatenate(make_text(is_list ? "[" : "{"), std::move(expression)), make_text(is_list ? "]" : "}"));
    expression = duckdb::make_uniq<duckdb::CastExpression>(LogicalType::JSON(), std::move(whole));
    return true;
}

// generate_series(a, b, '1 day'): the step of a series of times is an interval.
void settle_step(FunctionExpression& function) {
    if (function.function_name != "generate_series" || function.children.size() != 3) return;
    ParsedPointer& step = function.children[2];
    const bool is_text = constant_text(*step) &&
                         step->Cast<duckdb::ConstantExpression>().value.type().id() == duckdb::LogicalTypeId::VARCHAR;
    if (!is_text) return;
    step = duckdb::make_uniq<duckdb::CastExpression>(LogicalType::INTERVAL, std::move(step));
}

// format(): PostgreSQL's %s, %I and %L. Texts with braces and without a percent sign are DuckDB's format.
bool rewrite_format(ParsedPointer& expression, FunctionExpression& function) {
    if (function.function_name != "format" || function.children.empty()) return false;
    const std::optional<std::string> text = constant_text(*function.children[0]);
    if (!text || text->find('%') == std::string::npos) return false;
    duckdb::vector<ParsedPointer> pieces;
    for (const FormatPiece& piece : split_format(*text)) {
        if (piece.argument == 0) {
            pieces.push_back(make_text(piece.text));
            continue;
        }
        if (piece.argument >= function.children.size())
            throw duckdb::InvalidInputException("too few arguments for format()");
        ParsedPointer argument = function.children[piece.argument]->Copy();
        if (piece.conversion != 's') {
            duckdb::vector<ParsedPointer> arguments;
            arguments.push_back(std::move(argument));
            argument = make_call(piece.conversion == 'I' ? "quote_ident" : "quote_nullable", std::move(arguments));
        }
        pieces.push_back(std::move(argument));
    }
    if (pieces.empty()) pieces.push_back(make_text(""));
    const std::string alias = expression->GetAlias();
    expression = make_call("concat", std::move(pieces));
    expression->SetAlias(alias);
    return true;
}

// json_extract_path(json, 'a', 'b'): the keys one by one, where DuckDB takes a pointer, "/a/b".
bool rewrite_extract_path(FunctionExpression& function) {
    const std::string& name = function.function_name;
    const bool as_text = name == "json_extract_path_text" || name == "jsonb_extract_path_text";
    if ((name != "json_extract_path" && name != "jsonb_extract_path" && !as_text) || function.children.size() < 2)
        return false;
    duckdb::vector<ParsedPointer> parts;
    for (std::size_t i = 1; i < function.children.size(); ++i) {
        parts.push_back(make_text("/"));
        parts.push_back(std::move(function.children[i]));
    }
    function.children.resize(1);
    function.children.push_back(make_call("concat", std::move(parts)));
    function.function_name = as_text ? "json_extract_string" : "json_extract";
    return true;
}

// A start before the first character counts those that are not there; DuckDB counts from the end.
bool starts_inside(const FunctionExpression& function) {
    const std::optional<std::string> start = constant_text(*function.children[1]);
    return start && start->find_first_not_of("0123456789") == std::string::npos && *start != "0";
}

bool rename(FunctionExpression& function, Readers readers) {
    if (function.function_name == "substring") function.function_name = "substr";
    if (function.function_name == "substr" && function.children.size() >= 2 && starts_inside(function)) return true;
    const std::string& name = function.function_name;
    if (const auto same = namesakes().find(name); same != namesakes().end()) {
        function.function_name = same->second;
        return true;
    }
    if (readers == Readers::every_client) return false;
    const auto stand = stands().find(name);
    if (stand == stands().end()) return false;
    if (stand->second.arguments != 0 && stand->second.arguments != function.children.size()) return false;
    function.function_name = stand->second.function;
    return true;
}

// Arguments that PostgreSQL lets out.
bool complete_arguments(FunctionExpression& function) {
    if ((function.function_name != "lpad" && function.function_name != "rpad") || function.children.size() != 2)
        return false;
    function.children.push_back(make_text(" "));
    return true;
}

// current_timestamp(0) and the like come as calls with a precision.
bool drop_precision(FunctionExpression& function) {
    static constexpr std::string_view kTimes[] = {"current_timestamp", "current_time", "localtimestamp", "localtime"};
    if (function.children.size() != 1) return false;
    if (std::find(std::begin(kTimes), std::end(kTimes), function.function_name) == std::end(kTimes)) return false;
    throw duckdb::NotImplementedException("%s has no precision here: cast it, or use date_trunc",
                                          function.function_name);
}

// sum(…) OVER (…)
bool rewrite_window(duckdb::ParsedExpression& expression, Readers readers) {
    if (expression.GetExpressionClass() != duckdb::ExpressionClass::WINDOW || readers == Readers::every_client)
        return false;
    auto& window = expression.Cast<duckdb::WindowExpression>();
    if (window.function_name != "sum") return false;
    window.function_name = stands().at("sum").function;
    return true;
}

}  // namespace

ParsedPointer make_call(const std::string& function, duckdb::vector<ParsedPointer> arguments) {
    return duckdb::make_uniq<FunctionExpression>(function, std::move(arguments));
}

ParsedPointer make_text(const std::string& text) {
    return duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value(text));
}

std::optional<std::string> constant_text(const duckdb::ParsedExpression& expression) {
    if (expression.GetExpressionClass() != duckdb::ExpressionClass::CONSTANT) return std::nullopt;
    const duckdb::Value& value = expression.Cast<duckdb::ConstantExpression>().value;
    return value.IsNull() ? std::nullopt : std::optional<std::string>(value.ToString());
}

void make_regexp_rows(FunctionExpression& function) {
    const RegexArguments arguments = regex_arguments(function);
    function.children.resize(1);
    function.children.push_back(make_text(arguments.pattern));
    function.children.push_back(groups_of(arguments.pattern));
    function.children.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::BOOLEAN(arguments.every)));
    function.function_name = "boathouse_regexp_rows";
}

bool rewrite_call(ParsedPointer& expression, Readers readers) {
    if (rewrite_window(*expression, readers)) return true;
    if (expression->GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) return false;
    auto& function = expression->Cast<FunctionExpression>();
    if (function.is_operator) return false;
    if (function.schema == "pg_catalog") function.schema.clear();
    const bool is_integer =
        std::find(std::begin(kIntegers), std::end(kIntegers), function.function_name) != std::end(kIntegers);
    drop_precision(function);
    if (rewrite_format(expression, function) || rewrite_seconds(expression, function)) return true;
    name_row_fields(function);
    settle_step(function);
    if (rewrite_json_aggregate(expression, function)) return true;
    bool changed = complete_arguments(function) || rewrite_regexp_match(function) || rewrite_regexp_like(function) ||
                   rewrite_extract_path(function);
    if (readers == Readers::this_server) changed = rewrite_substring(function) || changed;
    changed = rename(function, readers) || changed;
    if (is_integer && readers == Readers::this_server) {
        const std::string alias = expression->GetAlias();
        expression = duckdb::make_uniq<duckdb::CastExpression>(LogicalType::INTEGER, std::move(expression));
        expression->SetAlias(alias);
        return true;
    }
    return changed;
}

}  // namespace boathouse::engine
