// Types as PostgreSQL writes them: numeric without a precision, and what a length does in a cast.
#include <duckdb/common/extra_type_info.hpp>
#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/constant_expression.hpp>
#include <duckdb/parser/expression/type_expression.hpp>
#include <regex>

#include "engine/postgres_meaning.hpp"

namespace boathouse::engine {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;

namespace {

// PostgreSQL's numeric without a precision holds any number; DuckDB's would round to three decimals. 28 digits before
// the point and 10 after it are what DuckDB's widest decimal has room for.
constexpr std::uint8_t kNumericWidth = 38;
constexpr std::uint8_t kNumericScale = 10;

bool is_numeric(const std::string& name) {
    return duckdb::StringUtil::CIEquals(name, "numeric") || duckdb::StringUtil::CIEquals(name, "decimal") ||
           duckdb::StringUtil::CIEquals(name, "dec");
}

duckdb::TypeExpression* expression_of(const LogicalType& type) {
    if (type.id() != LogicalTypeId::UNBOUND) return nullptr;
    const auto& expression = duckdb::UnboundType::GetTypeExpression(type);
    return expression && expression->GetExpressionClass() == duckdb::ExpressionClass::TYPE
               ? &expression->Cast<duckdb::TypeExpression>()
               : nullptr;
}

duckdb::vector<ParsedPointer> bare_numeric_modifiers() {
    duckdb::vector<ParsedPointer> modifiers;
    modifiers.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::INTEGER(kNumericWidth)));
    modifiers.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::INTEGER(kNumericScale)));
    return modifiers;
}

void settle(duckdb::TypeExpression& type) {
    if (is_numeric(type.GetTypeName()) && type.GetChildren().empty()) type.GetChildren() = bare_numeric_modifiers();
    for (ParsedPointer& child : type.GetChildren()) {
        if (child->GetExpressionClass() == duckdb::ExpressionClass::TYPE) settle(child->Cast<duckdb::TypeExpression>());
    }
}

// The number of characters of "varchar(3)" and "char(3)"; 0 for another type, or without a length.
std::int64_t text_length(const duckdb::TypeExpression& type) {
    static constexpr const char* kNames[] = {"varchar", "character varying", "bpchar", "char", "character"};
    if (type.GetChildren().size() != 1) return 0;
    for (const char* name : kNames) {
        if (!duckdb::StringUtil::CIEquals(type.GetTypeName(), name)) continue;
        const std::optional<std::string> length = constant_text(*type.GetChildren()[0]);
        return length ? std::strtoll(length->c_str(), nullptr, 10) : 0;
    }
    return 0;
}

bool is_json_array(const duckdb::TypeExpression& type) {
    if (!duckdb::StringUtil::CIEquals(type.GetTypeName(), "list") || type.GetChildren().size() != 1) return false;
    const duckdb::ParsedExpression& element = *type.GetChildren()[0];
    if (element.GetExpressionClass() != duckdb::ExpressionClass::TYPE) return false;
    const std::string& name = element.Cast<duckdb::TypeExpression>().GetTypeName();
    return duckdb::StringUtil::CIEquals(name, "json") || duckdb::StringUtil::CIEquals(name, "jsonb");
}

// The digits after the point of a number as it is written; nullopt if the text is no plain number.
std::optional<std::uint8_t> scale_of(const std::string& number) {
    if (number.empty() || number.find_first_not_of("+-0123456789.") != std::string::npos) return std::nullopt;
    const std::size_t point = number.find('.');
    const std::size_t scale = point == std::string::npos ? 0 : number.size() - point - 1;
    if (scale > kNumericWidth || number.size() > kNumericWidth) return std::nullopt;
    return static_cast<std::uint8_t>(scale);
}

// "2024-03-10 12:00+00": a time of day without seconds, before a zone, where DuckDB wants them.
std::optional<std::string> with_seconds(const std::string& moment) {
    static const std::regex kWithoutSeconds(R"((\d{4}-\d\d-\d\d[ T]\d\d:\d\d)\s*(Z|[+-]\d\d(:?\d\d)?))");
    std::smatch parts;
    if (!std::regex_match(moment, parts, kWithoutSeconds)) return std::nullopt;
    return parts[1].str() + ":00" + parts[2].str();
}

bool is_moment(const duckdb::CastExpression& cast, const duckdb::TypeExpression* written) {
    if (cast.cast_type.id() == LogicalTypeId::TIMESTAMP_TZ) return true;
    return written && (duckdb::StringUtil::CIEquals(written->GetTypeName(), "timestamptz") ||
                       duckdb::StringUtil::CIEquals(written->GetTypeName(), "timestamp with time zone"));
}

}  // namespace

void settle_type(LogicalType& type) {
    if (duckdb::TypeExpression* written = expression_of(type)) settle(*written);
}

bool rewrite_cast(ParsedPointer& expression) {
    if (expression->GetExpressionClass() != duckdb::ExpressionClass::CAST) return false;
    auto& cast = expression->Cast<duckdb::CastExpression>();
    duckdb::TypeExpression* const written = expression_of(cast.cast_type);
    if (is_moment(cast, written)) {
        if (const auto moment = with_seconds(constant_text(*cast.child).value_or(""))) cast.child = make_text(*moment);
        return false;
    }
    if (!written) return false;
    if (is_numeric(written->GetTypeName()) && written->GetChildren().empty()) {
        // A constant keeps the digits that it is written with.
        const std::optional<std::string> number = constant_text(*cast.child);
        const std::optional<std::uint8_t> scale = number ? scale_of(*number) : std::nullopt;
        if (scale) {
            cast.cast_type = LogicalType::DECIMAL(kNumericWidth, *scale);
            return true;
        }
    }
    settle(*written);
    if (is_json_array(*written) && constant_text(*cast.child).value_or("").starts_with('{')) {
        // DuckDB would read the text as JSON; PostgreSQL's is an array of texts that are JSON.
        cast.child =
            duckdb::make_uniq<duckdb::CastExpression>(LogicalType::LIST(LogicalType::VARCHAR), std::move(cast.child));
        return true;
    }
    if (const std::int64_t length = text_length(*written); length > 0) {
        duckdb::vector<ParsedPointer> arguments;
        const std::string alias = expression->GetAlias();
        arguments.push_back(std::move(expression));
        arguments.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::BIGINT(length)));
        expression = make_call("left", std::move(arguments));
        expression->SetAlias(alias);
        return true;
    }
    return false;
}

}  // namespace boathouse::engine
