// Operators that DuckDB lacks or reads otherwise: regular expressions, LIKE with PostgreSQL's escape, lists of
// patterns, paths in JSON, division by zero. syntax/operator_spelling.hpp says which spellings arrive here.
#include <algorithm>
#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/comparison_expression.hpp>
#include <duckdb/parser/expression/constant_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/expression/operator_expression.hpp>
#include <duckdb/parser/expression/type_expression.hpp>
#include <unordered_map>

#include "engine/json_tree.hpp"
#include "engine/parameter_arrays.hpp"
#include "engine/postgres_meaning.hpp"
#include "engine/similar_pattern.hpp"

namespace boathouse::engine {

using duckdb::ExpressionType;
using duckdb::FunctionExpression;

namespace {

ParsedPointer negate(ParsedPointer child) {
    return duckdb::make_uniq<duckdb::OperatorExpression>(ExpressionType::OPERATOR_NOT, std::move(child));
}

struct Spelling {
    const char* function;  // of DuckDB, or of postgres_macros.cpp
    bool negated = false;
    const char* options = nullptr;  // a third argument
};

// In PostgreSQL a dot stands for a line's end too: option "s".
const std::unordered_map<std::string, Spelling>& spellings() {
    static const std::unordered_map<std::string, Spelling> kSpellings = {
        {"@~", {"regexp_matches", false, "s"}},
        {"!@~", {"regexp_matches", true, "s"}},
        {"~*", {"regexp_matches", false, "si"}},
        {"!~*", {"regexp_matches", true, "si"}},
        {"~~@|", {"boathouse_like_any"}},
        {"~~@&", {"boathouse_like_all"}},
        {"!~~@|", {"boathouse_not_like_any"}},
        {"!~~@&", {"boathouse_like_any", true}},
        {"~~*@|", {"boathouse_ilike_any"}},
        {"~~*@&", {"boathouse_ilike_all"}},
        {"!~~*@|", {"boathouse_not_ilike_any"}},
        {"!~~*@&", {"boathouse_ilike_any", true}},
        {"@~!", {"boathouse_json_has"}},
        {"@~!|", {"boathouse_json_has_any"}},
        {"@~!&", {"boathouse_json_has_all"}},
        {"@~/-", {"boathouse_json_without"}},
        {"|/", {"sqrt"}},
        {"||/", {"cbrt"}},
        {"@^", {"xor"}},
    };
    return kSpellings;
}

// Functions that take the escape character, by LIKE's operators.
const char* escaped_like(const std::string& op) {
    if (op == "~~") return "like_escape";
    if (op == "!~~") return "not_like_escape";
    if (op == "~~*") return "ilike_escape";
    if (op == "!~~*") return "not_ilike_escape";
    return nullptr;
}

// PostgreSQL's LIKE takes the backslash as escape character where none is named. A constant without one means the same
// in both, and stays as it is for DuckDB's optimizer.
bool rewrite_like(FunctionExpression& function, Readers readers) {
    const char* const escaped = escaped_like(function.function_name);
    if (!escaped || function.children.size() != 2) return false;
    const std::optional<std::string> pattern = constant_text(*function.children[1]);
    const bool differs = pattern ? pattern->find('\\') != std::string::npos : readers == Readers::this_server;
    if (!differs) return false;
    function.function_name = escaped;
    function.is_operator = false;
    function.children.push_back(make_text("\\"));
    return true;
}

bool rewrite_similar(ParsedPointer& expression, FunctionExpression& function) {
    const bool negated = function.function_name == "!@~~";
    if (function.function_name != "@~~" && !negated) return false;
    const std::optional<std::string> pattern = constant_text(*function.children[1]);
    if (!pattern) throw duckdb::NotImplementedException("SIMILAR TO takes a constant pattern only");
    duckdb::vector<ParsedPointer> arguments;
    arguments.push_back(std::move(function.children[0]));
    arguments.push_back(make_text(similar_to_regex(*pattern)));
    arguments.push_back(make_text("s"));
    ParsedPointer result = make_call("regexp_full_match", std::move(arguments));
    expression = negated ? negate(std::move(result)) : std::move(result);
    return true;
}

bool is_cast_to(const duckdb::ParsedExpression& expression, const char* name) {
    if (expression.GetExpressionClass() != duckdb::ExpressionClass::CAST) return false;
    const std::string type = duckdb::StringUtil::Lower(expression.Cast<duckdb::CastExpression>().cast_type.ToString());
    return type.find(name) != std::string::npos;
}

// A text that is JSON and no array as PostgreSQL writes one, which begins with a brace too.
bool is_json_text(const duckdb::ParsedExpression& expression) {
    const std::optional<std::string> text = constant_text(expression);
    if (!text || *text == "{}" || !(text->starts_with('{') || text->starts_with('['))) return false;
    try {
        read_json(*text);
        return true;
    } catch (const duckdb::InvalidInputException&) {
        return false;
    }
}

bool is_json(const duckdb::ParsedExpression& expression) {
    return is_cast_to(expression, "json") || is_json_text(expression);
}

// @> and <@ hold for lists in both; between JSON values DuckDB has a function.
bool rewrite_containment(FunctionExpression& function) {
    const bool contains = function.function_name == "@>";
    if ((!contains && function.function_name != "<@") || function.children.size() != 2) return false;
    if (!is_json(*function.children[0]) && !is_json(*function.children[1])) return false;
    if (!contains) std::swap(function.children[0], function.children[1]);
    function.function_name = "json_contains";
    function.is_operator = false;
    return true;
}

// Values of jsonb are equal however they are written. DuckDB's JSON is a text, so this holds where the statement says
// jsonb.
void compare_jsonb(duckdb::ParsedExpression& expression) {
    if (expression.GetExpressionClass() != duckdb::ExpressionClass::COMPARISON) return;
    auto& comparison = expression.Cast<duckdb::ComparisonExpression>();
    if (!is_cast_to(*comparison.left, "jsonb") && !is_cast_to(*comparison.right, "jsonb")) return;
    for (ParsedPointer* side : {&comparison.left, &comparison.right}) {
        duckdb::vector<ParsedPointer> arguments;
        arguments.push_back(std::move(*side));
        *side = make_call("boathouse_jsonb", std::move(arguments));
    }
}

// A text that cannot be a number, a date or an interval, which all may stand behind a minus.
bool is_key(const duckdb::ParsedExpression& expression) {
    static constexpr std::string_view kMoments[] = {"infinity", "epoch", "now", "today", "tomorrow", "yesterday"};
    if (expression.GetExpressionClass() != duckdb::ExpressionClass::CONSTANT) return false;
    const duckdb::Value& value = expression.Cast<duckdb::ConstantExpression>().value;
    if (value.IsNull() || value.type().id() != duckdb::LogicalTypeId::VARCHAR) return false;
    const std::string text = duckdb::StringUtil::Lower(duckdb::StringValue::Get(value));
    const bool is_word = !text.empty() && (std::isalpha(static_cast<unsigned char>(text[0])) != 0 || text[0] == '_');
    const bool is_interval =
        text.size() > 1 && text[0] == 'p' && std::isdigit(static_cast<unsigned char>(text[1])) != 0;
    return is_word && !is_interval && std::find(std::begin(kMoments), std::end(kMoments), text) == std::end(kMoments);
}

bool is_list_of_keys(const duckdb::ParsedExpression& expression) {
    if (expression.GetExpressionType() != ExpressionType::ARRAY_CONSTRUCTOR) return false;
    const auto& keys = expression.Cast<duckdb::OperatorExpression>().children;
    return !keys.empty() && std::all_of(keys.begin(), keys.end(), [](const auto& key) { return is_key(*key); });
}

// jsonb - text and its kin. Types are not known yet: it is one where the left side says jsonb, or where the right side
// can be nothing but a key.
bool rewrite_minus(FunctionExpression& function) {
    if (function.function_name != "-" || function.children.size() != 2) return false;
    const bool says_json = is_cast_to(*function.children[0], "json");
    if (!says_json && !is_key(*function.children[1]) && !is_list_of_keys(*function.children[1])) return false;
    function.function_name = "boathouse_json_minus";
    function.is_operator = false;
    return true;
}

duckdb::Value keep_text(std::uint32_t, std::string_view text) {
    return duckdb::Value(std::string(text));
}

// The path of #> is an array of keys; DuckDB takes a pointer, "/a/b".
bool rewrite_path(FunctionExpression& function) {
    const bool as_text = function.function_name == "@~/>>";
    if ((function.function_name != "@~/>" && !as_text) || function.children.size() != 2) return false;
    ParsedPointer& path = function.children[1];
    duckdb::vector<ParsedPointer> keys;
    if (const std::optional<std::string> constant = constant_text(*path)) {
        const duckdb::Value list = decode_text_array(0, duckdb::LogicalType::VARCHAR, *constant, keep_text);
        std::string pointer;
        for (const duckdb::Value& key : duckdb::ListValue::GetChildren(list)) pointer += "/" + key.ToString();
        path = make_text(pointer);
    } else {
        duckdb::vector<ParsedPointer> arguments;
        arguments.push_back(std::move(path));
        arguments.push_back(make_text("/"));
        duckdb::vector<ParsedPointer> parts;
        parts.push_back(make_text("/"));
        parts.push_back(make_call("array_to_string", std::move(arguments)));
        path = make_call("concat", std::move(parts));
    }
    function.function_name = as_text ? "json_extract_string" : "json_extract";
    function.is_operator = false;
    return true;
}

// A division by zero is an error in PostgreSQL, NULL in DuckDB. A constant divisor that is not zero needs no check.
bool guard_divisor(FunctionExpression& function) {
    const std::string& op = function.function_name;
    if ((op != "//" && op != "/" && op != "%" && op != "mod") || function.children.size() != 2) return false;
    ParsedPointer& divisor = function.children[1];
    // A parameter's type comes from the division itself.
    if (divisor->GetExpressionClass() == duckdb::ExpressionClass::PARAMETER) return false;
    if (const std::optional<std::string> constant = constant_text(*divisor)) {
        if (constant->find_first_of("123456789") != std::string::npos) return false;
    }
    duckdb::vector<ParsedPointer> arguments;
    arguments.push_back(std::move(divisor));
    divisor = make_call("boathouse_divisor", std::move(arguments));
    return true;
}

}  // namespace

bool rewrite_operator(ParsedPointer& expression, Readers readers) {
    if (readers == Readers::this_server) compare_jsonb(*expression);
    if (expression->GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) return false;
    auto& function = expression->Cast<FunctionExpression>();
    if (rewrite_like(function, readers) || rewrite_similar(expression, function) || rewrite_containment(function) ||
        rewrite_path(function))
        return true;
    if (readers == Readers::this_server && (guard_divisor(function) || rewrite_minus(function))) return true;
    const auto entry = spellings().find(function.function_name);
    if (entry == spellings().end()) return false;
    function.function_name = entry->second.function;
    function.is_operator = false;
    if (entry->second.options) function.children.push_back(make_text(entry->second.options));
    if (entry->second.negated) expression = negate(std::move(expression));
    return true;
}

}  // namespace boathouse::engine
