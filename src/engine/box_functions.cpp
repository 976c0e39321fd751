#include "engine/box_functions.hpp"

#include <duckdb/catalog/catalog.hpp>
#include <duckdb/parser/parsed_data/create_table_function_info.hpp>

#include "base/log.hpp"
#include "engine/database.hpp"
#include "engine/guard.hpp"
#include "engine/lake.hpp"

namespace boathouse::engine {
namespace {

struct Info final : duckdb::TableFunctionInfo {
    explicit Info(BoxFunction wanted) : function(std::move(wanted)) {}
    BoxFunction function;
};

struct Bound final : duckdb::TableFunctionData {
    const Info* info = nullptr;
    std::vector<std::string> arguments;
    std::vector<duckdb::LogicalType> types;
};

struct State final : duckdb::GlobalTableFunctionState {
    BoxRows rows;
    std::size_t next = 0;
};

duckdb::unique_ptr<duckdb::FunctionData> bind(duckdb::ClientContext& context, duckdb::TableFunctionBindInput& input,
                                              duckdb::vector<duckdb::LogicalType>& types,
                                              duckdb::vector<duckdb::string>& names) {
    auto bound = duckdb::make_uniq<Bound>();
    bound->info = &input.info->Cast<Info>();
    for (const auto& argument : input.inputs) {
        if (argument.IsNull())
            throw duckdb::BinderException("an argument of boathouse.%s is NULL", bound->info->function.name);
        bound->arguments.push_back(argument.ToString());
    }
    for (const auto& [name, type] : bound->info->function.columns) {
        names.push_back(name);
        types.push_back(duckdb::TransformStringToLogicalType(type, context));
        bound->types.push_back(types.back());
    }
    return bound;
}

// At execution, not when the statement is prepared: a procedure does something.
duckdb::unique_ptr<duckdb::GlobalTableFunctionState> begin(duckdb::ClientContext& context,
                                                           duckdb::TableFunctionInitInput& input) {
    const auto& bound = input.bind_data->Cast<Bound>();
    if (bound.info->function.changes) refuse_if_read_only(context, "CALL");
    auto rows = bound.info->function.rows(bound.arguments);
    if (!rows) throw duckdb::InvalidInputException(rows.error().text());
    auto state = duckdb::make_uniq<State>();
    state->rows = std::move(*rows);
    return state;
}

void give(duckdb::ClientContext&, duckdb::TableFunctionInput& input, duckdb::DataChunk& chunk) {
    const auto& bound = input.bind_data->Cast<Bound>();
    auto& state = input.global_state->Cast<State>();
    duckdb::idx_t count = 0;
    for (; state.next < state.rows.size() && count < STANDARD_VECTOR_SIZE; ++state.next, ++count) {
        const BoxRow& row = state.rows[state.next];
        for (std::size_t column = 0; column < bound.types.size(); ++column) {
            const auto& text = row.at(column);
            chunk.SetValue(
                column, count,
                text ? duckdb::Value(*text).DefaultCastAs(bound.types[column]) : duckdb::Value(bound.types[column]));
        }
    }
    chunk.SetCardinality(count);
}

// The view or macro under the name that people write.
std::string public_face(const BoxFunction& function) {
    const std::string inner = kBoxFunctionPrefix + function.name;
    if (function.parameters.empty())
        return fmt::format("CREATE VIEW boathouse.main.{} AS SELECT * FROM {}()", function.name, inner);
    std::string parameters;
    std::string arguments;
    for (std::size_t i = 0; i < function.parameters.size(); ++i) {
        const std::string& name = function.parameters[i];
        parameters += fmt::format("{}{}{}", i == 0 ? "" : ", ", name, i >= function.optional_from ? " := ''" : "");
        arguments += fmt::format("{}{}::VARCHAR", i == 0 ? "" : ", ", name);
    }
    return fmt::format("CREATE MACRO boathouse.main.{}({}) AS TABLE SELECT * FROM {}({})", function.name, parameters,
                       inner, arguments);
}

void add(duckdb::DatabaseInstance& database, BoxFunction function) {
    const duckdb::vector<duckdb::LogicalType> arguments(function.parameters.size(), duckdb::LogicalType::VARCHAR);
    duckdb::TableFunction table(kBoxFunctionPrefix + function.name, arguments, give, bind, begin);
    table.function_info = duckdb::make_shared_ptr<Info>(std::move(function));
    duckdb::CreateTableFunctionInfo info(std::move(table));
    auto& catalog = duckdb::Catalog::GetSystemCatalog(database);
    catalog.CreateTableFunction(duckdb::CatalogTransaction::GetSystemTransaction(database), info);
}

}  // namespace

Status add_box_functions(Lake& lake, std::vector<BoxFunction> functions) {
    Database& database = lake.database();
    if (auto attached = database.query("ATTACH ':memory:' AS boathouse"); !attached) return attached.error();
    for (BoxFunction& function : functions) {
        const std::string face = public_face(function);
        try {
            add(database.instance(), std::move(function));
        } catch (const std::exception& exception) {
            return database.describe(duckdb::ErrorData(exception));
        }
        if (auto made = database.query(face); !made) return made.error();
    }
    return {};
}

}  // namespace boathouse::engine
