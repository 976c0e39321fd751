// What a macro cannot say: an error from the middle of an expression, sums that PostgreSQL calls bigint, numbers by a
// pattern.
#include <algorithm>
#include <cmath>
#include <duckdb/catalog/catalog.hpp>
#include <duckdb/catalog/catalog_entry/aggregate_function_catalog_entry.hpp>
#include <duckdb/catalog/catalog_entry/scalar_function_catalog_entry.hpp>
#include <duckdb/function/aggregate_function.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/parser/parsed_data/create_aggregate_function_info.hpp>
#include <duckdb/parser/parsed_data/create_scalar_function_info.hpp>

#include "engine/number_pattern.hpp"
#include "engine/postgres_json.hpp"
#include "engine/postgres_macros.hpp"

namespace boathouse::engine {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::LogicalType;
using duckdb::Vector;

namespace {

constexpr std::int64_t kDaysMax = 2'000'000'000;  // a date's own bounds are a little wider

template <class T>
void check_divisor(DataChunk& arguments, ExpressionState&, Vector& result) {
    Vector& divisors = arguments.data[0];
    duckdb::UnifiedVectorFormat format;
    divisors.ToUnifiedFormat(arguments.size(), format);
    const T* const values = duckdb::UnifiedVectorFormat::GetData<T>(format);
    for (duckdb::idx_t row = 0; row < arguments.size(); ++row) {
        const duckdb::idx_t index = format.sel->get_index(row);
        if (format.validity.RowIsValid(index) && values[index] == T(0))
            throw duckdb::Exception(duckdb::ExceptionType::DIVIDE_BY_ZERO, "division by zero");
    }
    result.Reference(divisors);
}

duckdb::scalar_function_t divisor_check(duckdb::PhysicalType type) {
    switch (type) {
        case duckdb::PhysicalType::INT8:
            return check_divisor<std::int8_t>;
        case duckdb::PhysicalType::INT16:
            return check_divisor<std::int16_t>;
        case duckdb::PhysicalType::INT32:
            return check_divisor<std::int32_t>;
        case duckdb::PhysicalType::INT64:
            return check_divisor<std::int64_t>;
        case duckdb::PhysicalType::UINT8:
            return check_divisor<std::uint8_t>;
        case duckdb::PhysicalType::UINT16:
            return check_divisor<std::uint16_t>;
        case duckdb::PhysicalType::UINT32:
            return check_divisor<std::uint32_t>;
        case duckdb::PhysicalType::UINT64:
            return check_divisor<std::uint64_t>;
        case duckdb::PhysicalType::INT128:
            return check_divisor<duckdb::hugeint_t>;
        case duckdb::PhysicalType::FLOAT:
            return check_divisor<float>;
        case duckdb::PhysicalType::DOUBLE:
            return check_divisor<double>;
        default:
            return nullptr;
    }
}

void pass_on(DataChunk& arguments, ExpressionState&, Vector& result) {
    result.Reference(arguments.data[0]);
}

// Takes the divisor's own type; what is no number (an interval by a number) passes.
duckdb::unique_ptr<duckdb::FunctionData> bind_divisor(
    duckdb::ClientContext&, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
    LogicalType type = arguments[0]->return_type;
    if (type.id() == duckdb::LogicalTypeId::UNKNOWN) throw duckdb::ParameterNotResolvedException();
    if (type.id() == duckdb::LogicalTypeId::SQLNULL || type.id() == duckdb::LogicalTypeId::VARCHAR ||
        type.id() == duckdb::LogicalTypeId::STRING_LITERAL) {
        type = LogicalType::DOUBLE;
    }
    if (type.id() == duckdb::LogicalTypeId::INTEGER_LITERAL) type = LogicalType::INTEGER;
    function.arguments[0] = type;
    function.SetReturnType(type);
    const bool is_number = type.IsNumeric();
    const duckdb::scalar_function_t check = is_number ? divisor_check(type.InternalType()) : nullptr;
    function.function = check ? check : pass_on;
    return nullptr;
}

struct SumState {
    std::int64_t sum;
    bool is_set;
};

// PostgreSQL's sum(integer) is a bigint. (Its sum(bigint) is numeric, as DuckDB's HUGEINT goes on the wire.)
struct SumOfIntegers {
    template <class State>
    static void Initialize(State& state) {
        state.sum = 0;
        state.is_set = false;
    }
    static void add(std::int64_t& sum, std::int64_t value) {
        if (__builtin_add_overflow(sum, value, &sum)) throw duckdb::OutOfRangeException("bigint out of range");
    }
    template <class Input, class State, class Op>
    static void Operation(State& state, const Input& input, duckdb::AggregateUnaryInput&) {
        state.is_set = true;
        add(state.sum, static_cast<std::int64_t>(input));
    }
    template <class Input, class State, class Op>
    static void ConstantOperation(State& state, const Input& input, duckdb::AggregateUnaryInput&, duckdb::idx_t count) {
        std::int64_t product = 0;
        if (__builtin_mul_overflow(static_cast<std::int64_t>(input), static_cast<std::int64_t>(count), &product))
            throw duckdb::OutOfRangeException("bigint out of range");
        state.is_set = true;
        add(state.sum, product);
    }
    template <class State, class Op>
    static void Combine(const State& source, State& target, duckdb::AggregateInputData&) {
        if (!source.is_set) return;
        target.is_set = true;
        add(target.sum, source.sum);
    }
    template <class Result, class State>
    static void Finalize(State& state, Result& target, duckdb::AggregateFinalizeData& data) {
        if (state.is_set) {
            target = state.sum;
        } else {
            data.ReturnNull();
        }
    }
    static bool IgnoreNull() { return true; }
};

void add_sum(duckdb::DatabaseInstance& database, duckdb::ExtensionLoader& loader) {
    duckdb::Catalog& catalog = duckdb::Catalog::GetSystemCatalog(database);
    const auto transaction = duckdb::CatalogTransaction::GetSystemTransaction(database);
    auto& schema = catalog.GetSchema(transaction, DEFAULT_SCHEMA);
    auto entry = schema.GetEntry(transaction, duckdb::CatalogType::AGGREGATE_FUNCTION_ENTRY, "sum");
    duckdb::AggregateFunctionSet sums("boathouse_sum");
    for (auto& function : entry->Cast<duckdb::AggregateFunctionCatalogEntry>().functions.functions) {
        const duckdb::LogicalTypeId argument = function.arguments.at(0).id();
        const bool is_small = argument == duckdb::LogicalTypeId::SMALLINT || argument == duckdb::LogicalTypeId::INTEGER;
        if (!is_small) sums.AddFunction(function);
    }
    sums.AddFunction(duckdb::AggregateFunction::UnaryAggregate<SumState, std::int16_t, std::int64_t, SumOfIntegers>(
        LogicalType::SMALLINT, LogicalType::BIGINT));
    sums.AddFunction(duckdb::AggregateFunction::UnaryAggregate<SumState, std::int32_t, std::int64_t, SumOfIntegers>(
        LogicalType::INTEGER, LogicalType::BIGINT));
    loader.RegisterFunction(std::move(sums));
}

void count_bytes(DataChunk& arguments, ExpressionState&, Vector& result) {
    duckdb::UnaryExecutor::Execute<duckdb::string_t, std::int64_t>(
        arguments.data[0], result, arguments.size(),
        [](duckdb::string_t text) { return static_cast<std::int64_t>(text.GetSize()); });
}

// PostgreSQL rounds a half of double precision to the even neighbour, and one of numeric away from zero.
template <class T>
void round_to_even(DataChunk& arguments, ExpressionState&, Vector& result) {
    duckdb::UnaryExecutor::Execute<T, T>(arguments.data[0], result, arguments.size(),
                                         [](T number) { return static_cast<T>(std::nearbyint(number)); });
}

void add_round(duckdb::ExtensionLoader& loader) {
    duckdb::ScalarFunctionSet rounds("boathouse_round");
    for (const auto& function : loader.GetFunction("round").functions.functions) {
        const auto type = function.arguments.at(0).id();
        const bool is_float = type == duckdb::LogicalTypeId::FLOAT || type == duckdb::LogicalTypeId::DOUBLE;
        if (function.arguments.size() == 1 && !is_float) rounds.AddFunction(function);
    }
    rounds.AddFunction(duckdb::ScalarFunction({LogicalType::FLOAT}, LogicalType::FLOAT, round_to_even<float>));
    rounds.AddFunction(duckdb::ScalarFunction({LogicalType::DOUBLE}, LogicalType::DOUBLE, round_to_even<double>));
    loader.RegisterFunction(std::move(rounds));
}

// The elements of a list, those of the lists in it counted one by one.
std::int64_t count_elements(const duckdb::Value& list) {
    if (list.IsNull()) return 0;
    const auto& items = duckdb::ListValue::GetChildren(list);
    if (duckdb::ListType::GetChildType(list.type()).id() != duckdb::LogicalTypeId::LIST)
        return static_cast<std::int64_t>(items.size());
    std::int64_t count = 0;
    for (const duckdb::Value& item : items) count += count_elements(item);
    return count;
}

void count_all(DataChunk& arguments, ExpressionState&, Vector& result) {
    const bool is_constant = arguments.AllConstant();
    result.SetVectorType(is_constant ? duckdb::VectorType::CONSTANT_VECTOR : duckdb::VectorType::FLAT_VECTOR);
    for (duckdb::idx_t row = 0; row < (is_constant ? 1 : arguments.size()); ++row) {
        const duckdb::Value list = arguments.GetValue(0, row);
        result.SetValue(
            row, list.IsNull() ? duckdb::Value(LogicalType::BIGINT) : duckdb::Value::BIGINT(count_elements(list)));
    }
}

// With whole numbers divided as PostgreSQL does it, DuckDB's parser writes // for every division; intervals know /
// only.
void add_interval_division(duckdb::ExtensionLoader& loader) {
    auto& division = loader.GetFunction("/");
    duckdb::ScalarFunctionSet intervals("//");
    for (const auto& function : division.functions.functions) {
        if (function.arguments.at(0).id() == duckdb::LogicalTypeId::INTERVAL) intervals.AddFunction(function);
    }
    loader.AddFunctionOverload(std::move(intervals));
}

// A date and a number of days that is a bigint, as those of generate_series() are.
void add_days(duckdb::ExtensionLoader& loader) {
    const auto move = [](DataChunk& arguments, Vector& result, std::int64_t sign) {
        duckdb::BinaryExecutor::Execute<duckdb::date_t, std::int64_t, duckdb::date_t>(
            arguments.data[0], arguments.data[1], result, arguments.size(),
            [sign](duckdb::date_t date, std::int64_t days) {
                const std::int64_t day =
                    std::int64_t{date.days} + sign * std::clamp<std::int64_t>(days, -kDaysMax, kDaysMax);
                if (!duckdb::Date::IsFinite(date)) return date;
                if (std::abs(day) > kDaysMax) throw duckdb::OutOfRangeException("date out of range");
                return duckdb::date_t(static_cast<std::int32_t>(day));
            });
    };
    duckdb::ScalarFunction plus(
        "+", {LogicalType::DATE, LogicalType::BIGINT}, LogicalType::DATE,
        [move](DataChunk& arguments, ExpressionState&, Vector& result) { move(arguments, result, 1); });
    duckdb::ScalarFunction minus(
        "-", {LogicalType::DATE, LogicalType::BIGINT}, LogicalType::DATE,
        [move](DataChunk& arguments, ExpressionState&, Vector& result) { move(arguments, result, -1); });
    plus.SetFallible();
    minus.SetFallible();
    loader.AddFunctionOverload(std::move(plus));
    loader.AddFunctionOverload(std::move(minus));
}

void number_by_pattern(DataChunk& arguments, ExpressionState&, Vector& result) {
    duckdb::BinaryExecutor::Execute<duckdb::string_t, duckdb::string_t, duckdb::string_t>(
        arguments.data[0], arguments.data[1], result, arguments.size(),
        [&](duckdb::string_t number, duckdb::string_t pattern) {
            return duckdb::StringVector::AddString(result, format_number(number.GetString(), pattern.GetString()));
        });
}

}  // namespace

void install_postgres_functions(duckdb::DatabaseInstance& database) {
    duckdb::ExtensionLoader loader(database, "boathouse");
    duckdb::ScalarFunction divisor("boathouse_divisor", {LogicalType::ANY}, LogicalType::ANY, pass_on, bind_divisor);
    divisor.SetFallible();
    loader.RegisterFunction(divisor);
    loader.RegisterFunction(duckdb::ScalarFunction("boathouse_number_by_pattern",
                                                   {LogicalType::VARCHAR, LogicalType::VARCHAR}, LogicalType::VARCHAR,
                                                   number_by_pattern));
    // Text has a length in bytes too; a constant is both text and blob to DuckDB.
    loader.AddFunctionOverload(
        duckdb::ScalarFunction("octet_length", {LogicalType::VARCHAR}, LogicalType::BIGINT, count_bytes));
    add_interval_division(loader);
    add_days(loader);
    add_round(loader);
    loader.RegisterFunction(duckdb::ScalarFunction("boathouse_cardinality", {LogicalType::LIST(LogicalType::ANY)},
                                                   LogicalType::BIGINT, count_all));
    add_sum(database, loader);
    install_postgres_json(loader);
}

}  // namespace boathouse::engine
