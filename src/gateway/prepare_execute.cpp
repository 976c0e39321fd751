// PREPARE and EXECUTE as statements: the namespace is that of Parse, so that a driver may execute what SQL prepared.
#include "gateway/script.hpp"
#include "gateway/session.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using engine::QueryError;
using pgwire::Buffer;

Outcome<void> Session::prepare_by_name(const PrepareStatement& statement) {
    if (auto free = statements_.check_new(statement.name); !free) return free;
    const auto types = type_oids(statement.types);
    if (!types) return types.error();
    auto prepared = prepare(statement.query.text, *types);
    if (!prepared) {
        QueryError error = prepared.error();
        if (error.position > 0) error.position += statement.query.offset;
        return error;
    }
    if (!std::holds_alternative<EngineStatement>((*prepared)->statement))
        return QueryError{"42601", "PREPARE takes SELECT, INSERT, UPDATE, DELETE, MERGE and VALUES"};
    statements_.add(statement.name, std::move(*prepared));
    return {};
}

// The OIDs of types by the names that stand in PREPARE: DuckDB is asked for values of them.
Outcome<std::vector<std::uint32_t>> Session::type_oids(const std::vector<std::string>& names) {
    std::vector<std::uint32_t> oids;
    if (names.empty()) return oids;
    if (auto armed = arm_engine(); !armed) return armed.error();
    std::string query = "SELECT ";
    for (const std::string& name : names)
        query += (query.size() > 7 ? ", CAST(NULL AS " : "CAST(NULL AS ") + name + ")";
    auto parsed = engine_->parse(query);
    if (!parsed) return QueryError{"42704", parsed.error().message};
    auto plan = engine_->prepare(std::move(*parsed), {});
    if (!plan) return QueryError{"42704", plan.error().message};
    for (const auto& column : (*plan)->columns()) oids.push_back(column.type);
    return oids;
}

// The values of EXECUTE's arguments, in text.
Outcome<std::vector<std::optional<std::string>>> Session::evaluate(const InnerText& expressions) {
    std::vector<std::optional<std::string>> values;
    if (expressions.text.empty()) return values;
    constexpr std::string_view kSelect = "SELECT ";
    const auto moved = [&](QueryError error) {
        error.position = error.position > kSelect.size() ? error.position - kSelect.size() + expressions.offset : 0;
        return error;
    };
    auto parsed = engine_->parse(std::string(kSelect) + expressions.text);
    if (!parsed) return moved(parsed.error());
    auto stream = engine_->run(std::move(*parsed));
    if (!stream) return moved(stream.error());
    Buffer row;
    if (const auto progress = (*stream)->encode(row, {1, SIZE_MAX}); !progress) return moved(progress.error());
    // DataRow: type, length, count, then each value.
    constexpr std::size_t kHeaderBytes = 5;
    if (row.size() < kHeaderBytes) return QueryError{"42601", "EXECUTE takes values"};
    pgwire::Reader reader(row.view().substr(kHeaderBytes));
    const std::int16_t count = reader.i16();
    for (std::int16_t i = 0; i < count && reader.ok(); ++i) {
        const std::int32_t length = reader.i32();
        if (length < 0) {
            values.emplace_back();
        } else {
            values.emplace_back(std::string(reader.bytes(static_cast<std::size_t>(length))));
        }
    }
    return values;
}

Outcome<Session::Rest> Session::execute_by_name(const ExecuteStatement& statement, const Form& form, Buffer& out) {
    const auto named = statements_.find(statement.name);
    if (!named) return named.error();
    const std::shared_ptr<PreparedStatement>& prepared = *named;
    if (!std::holds_alternative<EngineStatement>(prepared->statement) || prepared->empty)
        return QueryError{"0A000", "EXECUTE of a statement that the session answers itself is not supported"};
    if (auto armed = arm_engine(); !armed) return armed.error();
    auto values = evaluate(statement.arguments);
    if (!values) return values.error();
    if (values->size() != prepared->parameter_types.size()) {
        QueryError error{"42601", "wrong number of parameters for prepared statement \"" + statement.name + "\""};
        error.detail = "Expected " + std::to_string(prepared->parameter_types.size()) + " parameters but got " +
                       std::to_string(values->size()) + ".";
        return error;
    }
    Portal arguments;
    arguments.parameters = std::move(*values);
    auto rows = run_plan(*prepared, arguments);
    if (!rows) return rows.error();
    return Rest(answer_with(std::move(*rows), form, out));
}

}  // namespace boathouse::gateway
