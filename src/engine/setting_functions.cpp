#include "engine/setting_functions.hpp"

#include <duckdb/catalog/catalog.hpp>
#include <duckdb/execution/expression_executor_state.hpp>
#include <duckdb/function/scalar_function.hpp>
#include <duckdb/main/client_context_state.hpp>
#include <duckdb/parser/parsed_data/create_scalar_function_info.hpp>

namespace boathouse::engine {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::LogicalType;
using duckdb::Value;
using duckdb::Vector;

namespace {

constexpr const char* kState = "boathouse_settings";

struct SettingsState final : duckdb::ClientContextState {
    explicit SettingsState(ClientSettings& given) : settings(given) {}
    ClientSettings& settings;
};

[[noreturn]] void unknown(const std::string& message) {
    const duckdb::unordered_map<std::string, std::string> details{{"error_subtype", "MISSING_ENTRY"},
                                                                  {"type", "configuration parameter"}};
    throw duckdb::CatalogException(details, message);
}

std::optional<std::string> current(duckdb::ClientContext& context, const std::string& name) {
    if (const auto state = context.registered_state->Get<SettingsState>(kState)) return state->settings.current(name);
    Value value;
    if (!context.TryGetCurrentSetting(name, value)) return std::nullopt;
    return value.ToString();
}

// current_setting(name [, missing_ok]); what is not there is NULL if it may be missing.
void current_setting(DataChunk& arguments, ExpressionState& state, Vector& result) {
    result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
    for (duckdb::idx_t row = 0; row < arguments.size(); ++row) {
        const Value name = arguments.GetValue(0, row);
        const Value missing_ok = arguments.ColumnCount() > 1 ? arguments.GetValue(1, row) : Value::BOOLEAN(false);
        std::optional<std::string> value;
        if (!name.IsNull() && !missing_ok.IsNull()) {
            value = current(state.GetContext(), name.ToString());
            if (!value && !missing_ok.GetValue<bool>())
                unknown("unrecognized configuration parameter \"" + name.ToString() + "\"");
        }
        result.SetValue(row, value ? Value(*value) : Value(LogicalType::VARCHAR));
    }
}

// set_config(name, value, is_local)
void set_config(DataChunk& arguments, ExpressionState& state, Vector& result) {
    const auto given = state.GetContext().registered_state->Get<SettingsState>(kState);
    result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
    for (duckdb::idx_t row = 0; row < arguments.size(); ++row) {
        const Value name = arguments.GetValue(0, row);
        const Value value = arguments.GetValue(1, row);
        const Value local = arguments.GetValue(2, row);
        if (!given || name.IsNull() || local.IsNull())
            throw duckdb::InvalidInputException("set_config needs a name and whether it is local");
        auto kept =
            given->settings.set(name.ToString(), value.IsNull() ? "" : value.ToString(), local.GetValue<bool>());
        if (!kept && kept.error().sqlstate == "42704") unknown(kept.error().message);
        if (!kept) throw duckdb::InvalidInputException(kept.error().message);
        result.SetValue(row, Value(*kept));
    }
}

void add(duckdb::DatabaseInstance& database, const char* schema, const duckdb::ScalarFunctionSet& functions) {
    duckdb::CreateScalarFunctionInfo info(functions);
    info.schema = schema;
    info.internal = true;
    info.on_conflict = duckdb::OnCreateConflict::REPLACE_ON_CONFLICT;
    auto transaction = duckdb::CatalogTransaction::GetSystemTransaction(database);
    duckdb::Catalog::GetSystemCatalog(database).CreateFunction(transaction, info);
}

// Never folded into a plan: a prepared statement asks anew each time.
duckdb::ScalarFunction evaluated_each_time(duckdb::vector<LogicalType> arguments, duckdb::scalar_function_t function) {
    duckdb::ScalarFunction scalar(std::move(arguments), LogicalType::VARCHAR, std::move(function));
    scalar.SetVolatile();
    scalar.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
    return scalar;
}

}  // namespace

void install_setting_functions(duckdb::DatabaseInstance& database) {
    duckdb::ScalarFunctionSet current_functions("current_setting");
    current_functions.AddFunction(evaluated_each_time({LogicalType::VARCHAR}, current_setting));
    current_functions.AddFunction(evaluated_each_time({LogicalType::VARCHAR, LogicalType::BOOLEAN}, current_setting));
    duckdb::ScalarFunctionSet set_functions("set_config");
    set_functions.AddFunction(
        evaluated_each_time({LogicalType::VARCHAR, LogicalType::VARCHAR, LogicalType::BOOLEAN}, set_config));
    for (const char* schema : {"main", "pg_catalog"}) {
        add(database, schema, current_functions);
        add(database, schema, set_functions);
    }
}

void give_settings(duckdb::ClientContext& context, ClientSettings& settings) {
    context.registered_state->GetOrCreate<SettingsState>(kState, settings);
}

}  // namespace boathouse::engine
