// The rows of an INSERT of values, made without writing them: Session::evaluate() and what belongs to it.
#include <duckdb/common/vector_operations/vector_operations.hpp>

#include "engine/append_rows.hpp"
#include "engine/insert_values.hpp"
#include "engine/new_rows_impl.hpp"
#include "engine/parameter_values.hpp"
#include "engine/plan_rows.hpp"
#include "engine/session_impl.hpp"

namespace boathouse::engine {

namespace {

// While it lives, what is bound evaluates.
class Evaluating {
  public:
    explicit Evaluating(Watch& watch) : watch_(watch) {
        watch_.wrote = false;
        watch_.named_relations = nullptr;
        watch_.evaluates = true;
    }
    ~Evaluating() { watch_.evaluates = false; }
    Evaluating(const Evaluating&) = delete;
    Evaluating& operator=(const Evaluating&) = delete;

  private:
    Watch& watch_;
};

bool has_forbidden_null(const NewRows::Impl& rows) {
    bool found = false;
    if (rows.shape->not_null.empty()) return found;
    rows.each_chunk([&](duckdb::DataChunk& chunk) {
        for (const std::size_t column : rows.shape->not_null)
            found = found || duckdb::VectorOperations::HasNull(chunk.data[column], chunk.size());
    });
    return found;
}

std::optional<NewRows> checked(std::unique_ptr<NewRows::Impl> rows) {
    if (has_forbidden_null(*rows)) return std::nullopt;
    return NewRows(std::move(rows));
}

std::optional<NewRows> rows_of(duckdb::unique_ptr<duckdb::ColumnDataCollection> rows,
                               std::shared_ptr<const TableShape> shape) {
    auto impl = std::make_unique<NewRows::Impl>();
    impl->rows = std::move(rows);
    impl->shape = std::move(shape);
    return checked(std::move(impl));
}

std::optional<NewRows> rows_of(duckdb::unique_ptr<duckdb::DataChunk> few, std::shared_ptr<const TableShape> shape) {
    if (!few) return std::nullopt;
    auto impl = std::make_unique<NewRows::Impl>();
    impl->few = std::move(few);
    impl->shape = std::move(shape);
    return checked(std::move(impl));
}

std::optional<NewRows> rows_of(duckdb::QueryResult& result, std::shared_ptr<const TableShape> shape) {
    // The names tell of a table that was made anew since the shape was looked up.
    if (result.HasError() || result.types != shape->types || result.names != shape->names) return std::nullopt;
    return rows_of(result.Cast<duckdb::MaterializedQueryResult>().TakeCollection(), std::move(shape));
}

}  // namespace

bool Session::Impl::may_insert(const TableShape& shape) {
    if (watch.gate == nullptr) return true;
    watch.gate->forget();
    return !watch.gate->check(shape.insert_needs());
}

std::optional<NewRows> Session::Impl::judge(std::optional<NewRows> rows, Judged judged) {
    if (rows && judged == Judged::now && !may_insert(*rows->impl().shape)) return std::nullopt;
    return rows;
}

std::optional<NewRows> Session::Impl::rows_of(Evaluation evaluation) {
    const Evaluating evaluating(watch);
    const auto result = connection.Query(std::move(evaluation.statement));
    return engine::rows_of(*result, std::move(evaluation.shape));
}

bool Session::Impl::plan_evaluation(Prepared::Impl& prepared, const duckdb::SQLStatement& statement) {
    if (!connection.IsAutoCommit()) return false;
    auto evaluation = evaluation_of(*connection.context, statement, lake.shapes());
    if (!evaluation) return false;
    auto insert = statement.Copy();
    const Evaluating evaluating(watch);
    const bool planned = plan(prepared, std::move(evaluation->statement)).has_value();
    prepared.columns.clear();
    prepared.plain.reset();
    prepared.evaluation = planned ? std::move(prepared.statement) : nullptr;
    prepared.statement.reset();
    if (!planned) {
        prepared.parameter_types.clear();
        return false;
    }
    prepared.writes = true;
    prepared.shape = std::move(evaluation->shape);
    prepared.insert = std::move(insert);
    const duckdb::PreparedStatementData& plan = *prepared.evaluation->data;
    if (plan.types == prepared.shape->types && plan.names == prepared.shape->names)
        prepared.plain = PlainValues::of(plan);
    return true;
}

std::optional<NewRows> Session::evaluate(const Parsed& parsed, Judged judged) {
    const auto& statements = parsed.impl_->statements;
    try {
        if (statements.size() != 1 || !impl_->connection.IsAutoCommit() || !impl_->settle()) return std::nullopt;
        auto evaluation = evaluation_of(*impl_->connection.context, *statements.front(), impl_->lake.shapes());
        if (!evaluation || impl_->interrupted) return std::nullopt;
        return impl_->judge(impl_->rows_of(std::move(*evaluation)), judged);
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

std::optional<NewRows> Session::evaluate_at_once(Prepared& statement, const std::vector<ParameterValue>& parameters) {
    const Prepared::Impl& prepared = *statement.impl_;
    try {
        if (!prepared.plain || impl_->watch.read_only || impl_->interrupted) return std::nullopt;
        if (!impl_->connection.IsAutoCommit() || !impl_->lake.shapes().is_current(prepared.shape)) return std::nullopt;
        duckdb::ClientContext& context = *impl_->connection.context;
        const auto decode = [&](std::size_t i) {
            return decode_parameter(context, parameters.at(i), prepared.parameter_types.at(i), prepared.expected.at(i));
        };
        return rows_of(prepared.plain->rows(context, decode), prepared.shape);
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

std::optional<NewRows> Session::evaluate(Prepared& statement, const std::vector<ParameterValue>& parameters,
                                         Judged judged) {
    Prepared::Impl& prepared = *statement.impl_;
    try {
        if (!prepared.evaluation || impl_->watch.read_only || impl_->interrupted) return std::nullopt;
        if (!impl_->connection.IsAutoCommit() || !impl_->settle()) return std::nullopt;
        const auto now = impl_->lake.shapes().find(prepared.shape->schema, prepared.shape->table);
        if (!now) return std::nullopt;
        if (now != prepared.shape) {
            const auto insert = prepared.insert->Copy();
            if (!impl_->plan_evaluation(prepared, *insert)) return std::nullopt;
        }
        if (prepared.plain) return impl_->judge(evaluate_at_once(statement, parameters), judged);
        const Evaluating evaluating(impl_->watch);
        auto values = impl_->arguments(prepared, *prepared.evaluation, parameters);
        duckdb::PreparedStatementData& plan = *prepared.evaluation->data;
        if (plan.types == prepared.shape->types && plan.names == prepared.shape->names) {
            if (auto rows = plan_rows(*impl_->connection.context, plan, values))
                return impl_->judge(rows_of(std::move(rows), prepared.shape), judged);
        }
        const auto pending = prepared.evaluation->PendingQuery(values, false);
        if (pending->HasError()) return std::nullopt;
        const auto result = pending->Execute();
        return impl_->judge(rows_of(*result, prepared.shape), judged);
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

Outcome<void> Session::write(const std::vector<NewRows>& rows) {
    try {
        if (auto settled = impl_->settle(); !settled) return settled.error();
        for (std::size_t i = 0; i < rows.size();) {
            const TableShape& shape = *rows[i].impl().shape;
            std::shared_ptr<const TableShape> now;
            duckdb::ClientContext& context = *impl_->connection.context;
            context.RunFunctionInTransaction([&] { now = read_shape(context, shape.schema, shape.table); });
            if (!now || !now->same_as(shape)) {
                impl_->lake.shapes().forget(shape);
                return QueryError{"40001", "could not serialize access: the table \"" + shape.table + "\" has changed"};
            }
            std::vector<const NewRows*> same;
            for (; i < rows.size() && rows[i].impl().shape.get() == &shape; ++i) same.push_back(&rows[i]);
            const auto watching = impl_->begin_watch();
            append_rows(impl_->connection, same);
            impl_->end_watch();
        }
        return {};
    } catch (const std::exception& exception) {
        return impl_->describe(exception);
    }
}

}  // namespace boathouse::engine
