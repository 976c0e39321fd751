#include <algorithm>

#include "engine/parameter_types.hpp"
#include "engine/parameter_values.hpp"
#include "engine/session_impl.hpp"
#include "engine/wire_types.hpp"

namespace boathouse::engine {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
namespace {

// DuckDB has planned it: it knows the columns.
bool is_bound(duckdb::PreparedStatement& statement) {
    const auto& types = statement.GetTypes();
    return std::none_of(types.begin(), types.end(),
                        [](const LogicalType& type) { return type.id() == LogicalTypeId::UNKNOWN; });
}

bool knows_parameters(duckdb::PreparedStatement& statement) {
    const auto types = statement.GetExpectedParameterTypes();
    return std::none_of(types.begin(), types.end(),
                        [](const auto& entry) { return entry.second.id() == LogicalTypeId::UNKNOWN; });
}

std::vector<pgwire::ColumnDescription> columns_of(duckdb::PreparedStatement& statement) {
    std::vector<pgwire::ColumnDescription> columns;
    if (statement.GetStatementProperties().return_type != duckdb::StatementReturnType::QUERY_RESULT) return columns;
    for (std::size_t i = 0; i < statement.GetTypes().size(); ++i)
        columns.push_back(describe_column(statement.GetNames()[i], statement.GetTypes()[i]));
    return columns;
}

QueryError unknown_type(const std::vector<LogicalType>& types) {
    std::size_t number = 1;
    while (number < types.size() && types[number - 1].id() != LogicalTypeId::UNKNOWN) ++number;
    QueryError error{"42P18", "could not determine data type of parameter $" + std::to_string(number)};
    error.hint = "Cast it in the statement: $" + std::to_string(number) + "::integer.";
    return error;
}

}  // namespace

Outcome<void> check_shape(const std::vector<pgwire::ColumnDescription>& told,
                          const std::vector<pgwire::ColumnDescription>& got) {
    const bool holds = std::equal(told.begin(), told.end(), got.begin(), got.end(),
                                  [](const auto& left, const auto& right) { return left.type == right.type; });
    if (holds) return {};
    QueryError error{"0A000", "cached plan must not change result type"};
    error.routine = "RevalidateCachedQuery";
    return error;
}

// A statement that DuckDB could not plan for want of parameters' types gets them.
Outcome<void> Session::Impl::settle_types(Prepared::Impl& prepared, const duckdb::SQLStatement& uncast,
                                          const std::vector<std::uint32_t>& oids) {
    std::size_t count = 0;
    for (const auto& [name, index] : uncast.named_param_map) count = std::max(count, parameter_number(name));
    std::vector<LogicalType> known(count, LogicalType(LogicalTypeId::UNKNOWN));
    for (const auto& [name, type] : prepared.statement->GetExpectedParameterTypes()) {
        const std::size_t number = parameter_number(name);
        if (number > 0 && number <= count) known[number - 1] = type;
    }
    const std::vector<LogicalType> types = infer_parameters(connection, uncast, oids, known);
    auto typed = uncast.Copy();
    cast_all_parameters(*typed, types);
    auto statement = connection.Prepare(std::move(typed));
    if (statement->HasError()) return unknown_type(types);
    prepared.statement = std::move(statement);
    if (is_bound(*prepared.statement)) return {};
    auto described = uncast.Copy();
    fill_table_functions(*described, types);
    cast_all_parameters(*described, types);
    const auto bound = connection.Prepare(std::move(described));
    if (bound->HasError() || !is_bound(*bound)) return unknown_type(types);
    prepared.columns = columns_of(*bound);
    return {};
}

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
Repeats Prepared::repeats() const {
    return impl_->repeats;
}
bool Prepared::has_plain_values() const {
    return impl_->plain.has_value();
}

// What settles the types of the parameters is undone by the next call: a statement may be planned in two forms.
Outcome<void> Session::Impl::plan(Prepared::Impl& prepared, duckdb::unique_ptr<duckdb::SQLStatement> statement) {
    duckdb::unique_ptr<duckdb::SQLStatement> uncast;
    if (!statement->named_param_map.empty()) uncast = statement->Copy();
    cast_parameters(connection, *statement, prepared.named_types);
    prepared.statement = over_kept_tables<duckdb::PreparedStatement>(prepared.mentions, [&] {
        announce(*statement, prepared.tag);
        return connection.Prepare(statement->Copy());
    });
    if (!prepared.statement) {
        if (!watch.evaluates) announce(*statement, prepared.tag);
        prepared.statement = connection.Prepare(statement->Copy());
    }
    if (watch.gate != nullptr && !watch.evaluates) prepared.unbound = unbound->Copy();
    prepared.writes = watch.wrote;
    if (uncast && !prepared.statement->HasError() &&
        !(is_bound(*prepared.statement) && knows_parameters(*prepared.statement))) {
        if (auto settled_types = settle_types(prepared, *uncast, prepared.named_types); !settled_types)
            return settled_types.error();
    }
    prepared.repeats = watch.repeats;
    prepared.needs = watch.needs;
    prepared.made = std::exchange(watch.made, {});
    forget_announced();
    if (prepared.statement->HasError()) return describe(prepared.statement->GetErrorObject(), prepared.positions);
    if (auto settled = prepared.settle_parameters(); !settled) return settled;
    if (is_bound(*prepared.statement)) prepared.columns = columns_of(*prepared.statement);
    return {};
}

Outcome<void> Prepared::Impl::settle_parameters() {
    const auto by_name = statement->GetExpectedParameterTypes();
    std::size_t count = 0;
    for (const auto& [name, index] : statement->named_param_map) count = std::max(count, parameter_number(name));
    if (!statement->named_param_map.empty() && count == 0)
        return QueryError{"42P02", "parameters are written $1, $2 …"};
    expected.clear();
    // What the client was told first stays: it sends its values by it.
    const bool told = parameter_types.size() == count;
    for (std::size_t number = 1; number <= count; ++number) {
        const auto entry = by_name.find(std::to_string(number));
        const LogicalType type = entry == by_name.end() ? LogicalType(LogicalTypeId::UNKNOWN) : entry->second;
        const std::uint32_t named = number <= named_types.size() ? named_types[number - 1] : 0;
        expected.push_back(type);
        if (told) continue;
        const bool open = type.id() == LogicalTypeId::UNKNOWN || type.id() == LogicalTypeId::SQLNULL;
        parameter_types.push_back(named != 0 ? named : open ? pgwire::kText.oid : wire_type(type).oid);
    }
    return {};
}

Outcome<std::unique_ptr<Prepared>> Session::prepare(Parsed parsed, const std::vector<std::uint32_t>& parameter_types) {
    try {
        if (auto settled = impl_->settle(); !settled) return settled.error();
        auto& statements = parsed.impl_->statements;
        auto prepared = std::make_unique<Prepared::Impl>(*impl_);
        prepared->tag = parsed.impl_->tag;
        prepared->is_alone = parsed.impl_->is_alone;
        if (parsed.impl_->is_several) {
            prepared->positions = parsed.impl_->positions;
            prepared->several = std::move(statements);
            return std::unique_ptr<Prepared>(new Prepared(std::move(prepared)));
        }
        if (statements.size() != 1) return QueryError{"0A000", "this statement cannot be prepared"};
        prepared->notices = parsed.impl_->notices;
        prepared->positions = parsed.impl_->positions;
        prepared->named_types = parameter_types;
        if (impl_->plan_evaluation(*prepared, *statements.front()))
            return std::unique_ptr<Prepared>(new Prepared(std::move(prepared)));
        prepared->mentions = std::move(parsed.impl_->mentions);
        const auto watching = impl_->begin_watch(parsed.impl_->named_relations, prepared->mentions);
        if (auto planned = impl_->plan(*prepared, std::move(statements.front())); !planned) return planned.error();
        impl_->number_columns(prepared->columns);
        return std::unique_ptr<Prepared>(new Prepared(std::move(prepared)));
    } catch (const std::exception& exception) {
        return impl_->describe(exception, parsed.impl_->positions);
    }
}

// Throws what DuckDB throws.
duckdb::case_insensitive_map_t<duckdb::BoundParameterData> Session::Impl::arguments(
    const Prepared::Impl& prepared, const duckdb::PreparedStatement& statement,
    const std::vector<ParameterValue>& parameters) {
    duckdb::case_insensitive_map_t<duckdb::BoundParameterData> values;
    for (std::size_t i = 0; i < prepared.expected.size(); ++i) {
        const std::string name = std::to_string(i + 1);
        if (!statement.named_param_map.contains(name)) continue;  // $1 and $3 without a $2
        duckdb::Value value =
            decode_parameter(*connection.context, parameters.at(i), prepared.parameter_types[i], prepared.expected[i]);
        values[name] = duckdb::BoundParameterData(std::move(value));
    }
    return values;
}

Outcome<std::unique_ptr<ResultStream>> Session::run(Prepared& prepared, const std::vector<ParameterValue>& parameters) {
    Prepared::Impl& plan = *prepared.impl_;
    try {
        if (auto settled = impl_->settle(); !settled) return settled.error();
        if (auto alone = impl_->check_alone(plan.is_alone, plan.tag); !alone) return alone.error();
        if (!plan.statement && plan.insert) {
            const auto watching = impl_->begin_watch();
            if (auto planned = impl_->plan(plan, plan.insert->Copy()); !planned) {
                plan.statement.reset();
                return planned.error();
            }
        }
        if (!plan.statement) {
            std::vector<duckdb::unique_ptr<duckdb::SQLStatement>> statements;
            for (const auto& statement : plan.several) statements.push_back(statement->Copy());
            return impl_->run_several(std::move(statements), plan.tag, plan.positions);
        }
        if (plan.writes && impl_->watch.read_only)
            return QueryError{"25006", "cannot execute " + plan.tag + " in a read-only transaction"};
        auto values = impl_->arguments(plan, *plan.statement, parameters);
        if (impl_->interrupted) return interruption();
        const auto watching = impl_->begin_watch({}, plan.mentions);
        StreamBudget::Share ahead = impl_->read_ahead();
        const auto begin = [&] {
            impl_->watch.wrote = plan.writes;  // a plan that is bound again says so itself
            impl_->watch.repeats = impl_->connection.IsAutoCommit() ? plan.repeats : Repeats::never;
            if (plan.unbound) impl_->announce(*plan.unbound, plan.tag);
            return plan.statement->PendingQuery(values, true);
        };
        auto pending = impl_->over_kept_tables<duckdb::PendingQueryResult>(plan.mentions, begin);
        if (!pending) pending = begin();
        if (!pending->HasError() && !impl_->watch.was_bound) {
            check_needs(impl_->watch, plan.needs);
            impl_->watch.needs = plan.needs;
            impl_->watch.made = plan.made;
        }
        auto stream = impl_->stream_of(std::move(pending), std::move(ahead), plan.tag, plan.positions, &plan.columns);
        if (!stream) return stream;
        if (auto same = check_shape(plan.columns, (*stream)->columns()); !same) return same.error();
        return stream;
    } catch (const std::exception& exception) {
        impl_->end_watch();
        return impl_->describe(exception);
    }
}

}  // namespace boathouse::engine
