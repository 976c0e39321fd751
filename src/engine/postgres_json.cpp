#include "engine/postgres_json.hpp"

#include <algorithm>
#include <duckdb/catalog/catalog_entry/scalar_function_catalog_entry.hpp>
#include <duckdb/function/function_binder.hpp>
#include <duckdb/function/scalar/string_functions.hpp>
#include <duckdb/planner/expression/bound_cast_expression.hpp>
#include <duckdb/planner/expression/bound_constant_expression.hpp>
#include <optional>

#include "engine/json_tree.hpp"

namespace boathouse::engine {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::ScalarFunction;
using duckdb::Value;
using duckdb::Vector;
using Arguments = duckdb::vector<Value>;

namespace {

JsonNode node_of(const Value& value) {
    return read_json(duckdb::StringValue::Get(value));
}

std::vector<std::string> texts_of(const Value& list) {
    std::vector<std::string> texts;
    for (const Value& text : duckdb::ListValue::GetChildren(list)) {
        if (text.IsNull()) throw duckdb::InvalidInputException("path element is null");
        texts.push_back(duckdb::StringValue::Get(text));
    }
    return texts;
}

Value text_of(const JsonNode& node) {
    return Value(write_json(node));
}

// One row's value by the other's; no argument is NULL.
using Evaluate = Value (*)(const Arguments& arguments);

template <Evaluate evaluate>
void run(DataChunk& arguments, ExpressionState&, Vector& result) {
    const bool is_constant = arguments.AllConstant();
    const idx_t rows = is_constant ? 1 : arguments.size();
    result.SetVectorType(is_constant ? duckdb::VectorType::CONSTANT_VECTOR : duckdb::VectorType::FLAT_VECTOR);
    Arguments row;
    for (idx_t i = 0; i < rows; ++i) {
        row.clear();
        bool has_null = false;
        for (idx_t column = 0; column < arguments.ColumnCount(); ++column) {
            row.push_back(arguments.GetValue(column, i));
            has_null = has_null || row.back().IsNull();
        }
        result.SetValue(i, has_null ? Value(result.GetType()) : evaluate(row).DefaultCastAs(result.GetType()));
    }
}

Value normalize(const Arguments& row) {
    return text_of(node_of(row[0]));
}
Value strip_nulls(const Arguments& row) {
    return text_of(without_nulls(node_of(row[0])));
}
Value join(const Arguments& row) {
    return text_of(concatenate(node_of(row[0]), node_of(row[1])));
}
Value leave_out_key(const Arguments& row) {
    return text_of(without_key(node_of(row[0]), duckdb::StringValue::Get(row[1])));
}
Value leave_out_keys(const Arguments& row) {
    JsonNode node = node_of(row[0]);
    for (const std::string& key : texts_of(row[1])) node = without_key(std::move(node), key);
    return text_of(node);
}
Value leave_out_item(const Arguments& row) {
    return text_of(without_item(node_of(row[0]), duckdb::BigIntValue::Get(row[1])));
}
Value leave_out_path(const Arguments& row) {
    return text_of(without_path(node_of(row[0]), texts_of(row[1])));
}
Value has(const Arguments& row) {
    return Value::BOOLEAN(has_key(node_of(row[0]), duckdb::StringValue::Get(row[1])));
}
Value has_any(const Arguments& row) {
    const JsonNode node = node_of(row[0]);
    const auto keys = texts_of(row[1]);
    return Value::BOOLEAN(
        std::any_of(keys.begin(), keys.end(), [&](const std::string& key) { return has_key(node, key); }));
}
Value has_all(const Arguments& row) {
    const JsonNode node = node_of(row[0]);
    const auto keys = texts_of(row[1]);
    return Value::BOOLEAN(
        std::all_of(keys.begin(), keys.end(), [&](const std::string& key) { return has_key(node, key); }));
}
Value set(const Arguments& row) {
    const bool only_existing = row.size() == 4 && !duckdb::BooleanValue::Get(row[3]);
    const Place place = only_existing ? Place::only_existing : Place::existing_or_new;
    return text_of(with_value(node_of(row[0]), texts_of(row[1]), node_of(row[2]), place));
}
Value insert(const Arguments& row) {
    const bool is_after = row.size() == 4 && duckdb::BooleanValue::Get(row[3]);
    return text_of(
        with_value(node_of(row[0]), texts_of(row[1]), node_of(row[2]), is_after ? Place::after : Place::before));
}

template <Evaluate evaluate>
ScalarFunction function(const char* name, duckdb::vector<LogicalType> arguments,
                        const LogicalType& result = LogicalType::JSON()) {
    ScalarFunction made(name, std::move(arguments), result, run<evaluate>);
    made.SetFallible();
    return made;
}

// The text of a constant, which PostgreSQL reads as what it stands beside; nullopt for anything else.
std::optional<std::string> literal(const duckdb::Expression& argument) {
    if (argument.GetExpressionClass() != duckdb::ExpressionClass::BOUND_CONSTANT) return std::nullopt;
    const Value& value = argument.Cast<duckdb::BoundConstantExpression>().value;
    if (value.IsNull() || value.type().id() != LogicalTypeId::VARCHAR) return std::nullopt;
    return duckdb::StringValue::Get(value);
}

bool reads_as_json(const duckdb::Expression& argument) {
    if (argument.return_type.IsJSONType()) return true;
    const auto text = literal(argument);
    if (!text) return false;
    try {
        read_json(*text);
        return true;
    } catch (const duckdb::InvalidInputException&) {
        return false;
    }
}

bool joins_json(const duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& sides) {
    const bool has_json = sides[0]->return_type.IsJSONType() || sides[1]->return_type.IsJSONType();
    return has_json && reads_as_json(*sides[0]) && reads_as_json(*sides[1]);
}

// A list || an element: the element becomes a list of one. A constant that is written as PostgreSQL writes a list is
// one.
void make_list(duckdb::ClientContext& context, duckdb::unique_ptr<duckdb::Expression>& side, const LogicalType& list) {
    if (literal(*side).value_or("").starts_with('{')) {
        side = duckdb::BoundCastExpression::AddCastToType(context, std::move(side), list);
        return;
    }
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> children;
    children.push_back(std::move(side));
    duckdb::ErrorData error;
    duckdb::FunctionBinder binder(context);
    side = binder.BindScalarFunction(DEFAULT_SCHEMA, "list_value", std::move(children), error);
    if (!side) error.Throw();
}

duckdb::unique_ptr<duckdb::FunctionData> bind_concatenation(
    duckdb::ClientContext& context, ScalarFunction& bound,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& sides) {
    const LogicalType left = sides[0]->return_type;
    const LogicalType right = sides[1]->return_type;
    if (joins_json(sides)) {
        bound = function<join>("||", {LogicalType::JSON(), LogicalType::JSON()});
        return nullptr;
    }
    const auto is_element = [](const LogicalType& type) {
        return type.id() != LogicalTypeId::LIST && type.id() != LogicalTypeId::ARRAY &&
               type.id() != LogicalTypeId::SQLNULL && type.id() != LogicalTypeId::UNKNOWN;
    };
    if (left.id() == LogicalTypeId::LIST && is_element(right)) make_list(context, sides[1], left);
    if (right.id() == LogicalTypeId::LIST && is_element(left)) make_list(context, sides[0], right);
    return duckdb::ConcatOperatorFun::GetFunction().GetBindCallback()(context, bound, sides);
}

// DuckDB's || takes any two values and decides what it means when it is bound.
void teach_concatenation(duckdb::ExtensionLoader& loader) {
    for (ScalarFunction& concatenation : loader.GetFunction("||").functions.functions)
        concatenation.SetBindCallback(bind_concatenation);
}

}  // namespace

void install_postgres_json(duckdb::ExtensionLoader& loader) {
    const LogicalType json = LogicalType::JSON();
    const LogicalType text = LogicalType::VARCHAR;
    const LogicalType texts = LogicalType::LIST(text);
    loader.RegisterFunction(function<normalize>("boathouse_jsonb", {json}));
    loader.RegisterFunction(function<strip_nulls>("jsonb_strip_nulls", {json}));
    loader.RegisterFunction(function<strip_nulls>("json_strip_nulls", {json}));
    loader.RegisterFunction(function<has>("boathouse_json_has", {json, text}, LogicalType::BOOLEAN));
    loader.RegisterFunction(function<has_any>("boathouse_json_has_any", {json, texts}, LogicalType::BOOLEAN));
    loader.RegisterFunction(function<has_all>("boathouse_json_has_all", {json, texts}, LogicalType::BOOLEAN));
    loader.RegisterFunction(function<leave_out_path>("boathouse_json_without", {json, texts}));
    duckdb::ScalarFunctionSet sets("jsonb_set");
    sets.AddFunction(function<set>("jsonb_set", {json, texts, json}));
    sets.AddFunction(function<set>("jsonb_set", {json, texts, json, LogicalType::BOOLEAN}));
    loader.RegisterFunction(std::move(sets));
    duckdb::ScalarFunctionSet inserts("jsonb_insert");
    inserts.AddFunction(function<insert>("jsonb_insert", {json, texts, json}));
    inserts.AddFunction(function<insert>("jsonb_insert", {json, texts, json, LogicalType::BOOLEAN}));
    loader.RegisterFunction(std::move(inserts));
    duckdb::ScalarFunctionSet minus("boathouse_json_minus");
    minus.AddFunction(function<leave_out_key>("boathouse_json_minus", {json, text}));
    minus.AddFunction(function<leave_out_item>("boathouse_json_minus", {json, LogicalType::BIGINT}));
    minus.AddFunction(function<leave_out_keys>("boathouse_json_minus", {json, texts}));
    loader.RegisterFunction(std::move(minus));
    teach_concatenation(loader);
}

}  // namespace boathouse::engine
