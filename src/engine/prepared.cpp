#include <algorithm>
#include <charconv>
#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/expression/parameter_expression.hpp>
#include <duckdb/parser/expression/subquery_expression.hpp>
#include <duckdb/parser/parsed_expression_iterator.hpp>
#include <duckdb/parser/query_node.hpp>
#include <duckdb/parser/statement/select_statement.hpp>

#include "engine/parameter_values.hpp"
#include "engine/session_impl.hpp"
#include "engine/wire_types.hpp"

namespace boathouse::engine {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using ParsedPointer = duckdb::unique_ptr<duckdb::ParsedExpression>;

namespace {

// The number of "$3"; 0 if it is none.
std::size_t parameter_number(const std::string& name) {
    std::size_t number = 0;
    const char* const end = name.data() + name.size();
    return std::from_chars(name.data(), end, number).ptr == end ? number : 0;
}

void cast_parameters(duckdb::QueryNode& node, const std::vector<std::uint32_t>& types);

// $1::int[][]: PostgreSQL has one array type for any number of dimensions, and only the statement's cast tells how
// many.
bool is_cast_array(const duckdb::ParsedExpression& expression, const std::vector<std::uint32_t>& types) {
    if (expression.GetExpressionClass() != duckdb::ExpressionClass::CAST) return false;
    const auto& child = *expression.Cast<duckdb::CastExpression>().child;
    if (child.GetExpressionClass() != duckdb::ExpressionClass::PARAMETER) return false;
    const std::size_t number = parameter_number(child.Cast<duckdb::ParameterExpression>().identifier);
    return number != 0 && number <= types.size() && element_oid(types[number - 1]) != 0;
}

// x = ANY($1), which DuckDB reads as x = ANY (SELECT unnest($1)), with a parameter of which the client says nothing:
// drivers do that for lists of texts, and DuckDB cannot infer a list's type from what it is compared with.
bool cast_unnested(duckdb::ParsedExpression& expression, const std::vector<std::uint32_t>& types) {
    if (expression.GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) return false;
    auto& function = expression.Cast<duckdb::FunctionExpression>();
    if (function.function_name != "unnest" || function.children.size() != 1) return false;
    ParsedPointer& child = function.children[0];
    if (child->GetExpressionClass() != duckdb::ExpressionClass::PARAMETER) return false;
    const std::size_t number = parameter_number(child->Cast<duckdb::ParameterExpression>().identifier);
    const std::uint32_t named = number != 0 && number <= types.size() ? types[number - 1] : 0;
    if (logical_type(named).id() != LogicalTypeId::UNKNOWN) return false;
    child = duckdb::make_uniq<duckdb::CastExpression>(LogicalType::LIST(LogicalType::VARCHAR), std::move(child));
    return true;
}

// A parameter whose type the client names becomes a cast to that type, so that DuckDB plans with it.
void cast_parameters(ParsedPointer& expression, const std::vector<std::uint32_t>& types) {
    if (expression->GetExpressionClass() == duckdb::ExpressionClass::PARAMETER) {
        const std::size_t number = parameter_number(expression->Cast<duckdb::ParameterExpression>().identifier);
        if (number == 0 || number > types.size()) return;
        const LogicalType type = logical_type(types[number - 1]);
        // Text is what drivers say when they do not know: DuckDB's own inference stays.
        if (type.id() == LogicalTypeId::UNKNOWN || type.id() == LogicalTypeId::VARCHAR) return;
        const std::string alias = expression->GetAlias();
        expression = duckdb::make_uniq<duckdb::CastExpression>(type, std::move(expression));
        expression->SetAlias(alias);
        return;
    }
    if (is_cast_array(*expression, types) || cast_unnested(*expression, types)) return;
    if (expression->GetExpressionClass() == duckdb::ExpressionClass::SUBQUERY) {
        cast_parameters(*expression->Cast<duckdb::SubqueryExpression>().subquery->node, types);
    }
    duckdb::ParsedExpressionIterator::EnumerateChildren(*expression,
                                                        [&](ParsedPointer& child) { cast_parameters(child, types); });
}

void cast_parameters(duckdb::QueryNode& node, const std::vector<std::uint32_t>& types) {
    duckdb::ParsedExpressionIterator::EnumerateQueryNodeChildren(
        node, [&](ParsedPointer& child) { cast_parameters(child, types); });
}

void cast_parameters(duckdb::SQLStatement& statement, const std::vector<std::uint32_t>& types) {
    // In an INSERT's VALUES the column's type is the better guide.
    if (statement.type == duckdb::StatementType::SELECT_STATEMENT) {
        cast_parameters(*statement.Cast<duckdb::SelectStatement>().node, types);
    }
}

// Whether what the client was told about a statement's columns holds for its rows.
bool same_shape(const std::vector<pgwire::ColumnDescription>& told, const std::vector<pgwire::ColumnDescription>& got) {
    return std::equal(told.begin(), told.end(), got.begin(), got.end(),
                      [](const auto& left, const auto& right) { return left.type == right.type; });
}

// asyncpg and pgjdbc prepare again where they find this routine.
QueryError changed_result() {
    QueryError error{"0A000", "cached plan must not change result type"};
    error.routine = "RevalidateCachedQuery";
    return error;
}

}  // namespace

Prepared::Prepared(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Prepared::~Prepared() = default;
const std::vector<std::uint32_t>& Prepared::parameter_types() const {
    return impl_->parameter_types;
}
const std::vector<pgwire::ColumnDescription>& Prepared::columns() const {
    return impl_->columns;
}
const std::string& Prepared::tag() const {
    return impl_->tag;
}
const std::vector<syntax::Notice>& Prepared::notices() const {
    return impl_->notices;
}

Outcome<std::unique_ptr<Prepared>> Session::prepare(Parsed parsed, const std::vector<std::uint32_t>& parameter_types) {
    try {
        if (auto settled = impl_->settle(); !settled) return settled.error();
        auto& statements = parsed.impl_->statements;
        if (statements.size() != 1) return QueryError{"0A000", "this statement cannot be prepared"};
        cast_parameters(*statements.front(), parameter_types);

        auto prepared = std::make_unique<Prepared::Impl>(*impl_);
        prepared->tag = parsed.impl_->tag;
        impl_->begin_watch(parsed.impl_->named_relations);
        prepared->notices = parsed.impl_->notices;
        prepared->positions = parsed.impl_->positions;
        prepared->statement = impl_->connection.Prepare(std::move(statements.front()));
        prepared->writes = impl_->watch.wrote;
        impl_->watch.named_relations = nullptr;
        duckdb::PreparedStatement& statement = *prepared->statement;
        if (statement.HasError()) return impl_->describe(statement.GetErrorObject(), parsed.impl_->positions);

        const auto expected = statement.GetExpectedParameterTypes();
        std::size_t count = 0;
        for (const auto& [name, index] : statement.named_param_map) count = std::max(count, parameter_number(name));
        if (!statement.named_param_map.empty() && count == 0) {
            return QueryError{"42P02", "parameters are written $1, $2 …"};
        }
        for (std::size_t number = 1; number <= count; ++number) {
            const auto entry = expected.find(std::to_string(number));
            const LogicalType type = entry == expected.end() ? LogicalType(LogicalTypeId::UNKNOWN) : entry->second;
            const std::uint32_t named = number <= parameter_types.size() ? parameter_types[number - 1] : 0;
            prepared->expected.push_back(type);
            const bool open = type.id() == LogicalTypeId::UNKNOWN || type.id() == LogicalTypeId::SQLNULL;
            prepared->parameter_types.push_back(named != 0 ? named : open ? pgwire::kText.oid : wire_type(type).oid);
        }
        if (statement.GetStatementProperties().return_type == duckdb::StatementReturnType::QUERY_RESULT) {
            for (std::size_t i = 0; i < statement.GetTypes().size(); ++i) {
                prepared->columns.push_back(describe_column(statement.GetNames()[i], statement.GetTypes()[i]));
            }
            impl_->number_columns(prepared->columns);
        }
        return std::unique_ptr<Prepared>(new Prepared(std::move(prepared)));
    } catch (const std::exception& exception) {
        return impl_->describe(exception, parsed.impl_->positions);
    }
}

Outcome<std::unique_ptr<ResultStream>> Session::run(Prepared& prepared, const std::vector<ParameterValue>& parameters) {
    Prepared::Impl& plan = *prepared.impl_;
    try {
        if (auto settled = impl_->settle(); !settled) return settled.error();
        if (plan.writes && impl_->watch.read_only)
            return QueryError{"25006", "cannot execute " + plan.tag + " in a read-only transaction"};
        duckdb::case_insensitive_map_t<duckdb::BoundParameterData> values;
        for (std::size_t i = 0; i < plan.expected.size(); ++i) {
            const std::string name = std::to_string(i + 1);
            if (!plan.statement->named_param_map.contains(name)) continue;  // $1 and $3 without a $2
            duckdb::Value value = decode_parameter(*impl_->connection.context, parameters.at(i),
                                                   plan.parameter_types[i], plan.expected[i]);
            values[name] = duckdb::BoundParameterData(std::move(value));
        }
        if (impl_->interrupted) return interruption();
        impl_->watch.wrote = plan.writes;  // a plan that is bound again says so itself
        impl_->watch.origins = {};
        auto stream =
            impl_->stream_of(plan.statement->PendingQuery(values, true), plan.tag, plan.positions, &plan.columns);
        if (stream && !same_shape(plan.columns, (*stream)->columns())) return changed_result();
        return stream;
    } catch (const std::exception& exception) {
        return impl_->describe(exception);
    }
}

}  // namespace boathouse::engine
