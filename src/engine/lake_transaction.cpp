#include "engine/lake_transaction.hpp"

#include "base/log.hpp"

namespace boathouse::engine {

Result<Table> LakeTransaction::run(const std::string& sql) {
    const auto result = connection_.Query(sql);
    if (result->HasError()) return describe(result->GetErrorObject());
    Table table;
    for (const auto& row : result->Collection().GetRows()) {
        table.emplace_back();
        for (duckdb::idx_t column = 0; column < result->ColumnCount(); ++column) {
            const auto value = row.GetValue(column);
            table.back().push_back(value.IsNull() ? "" : value.ToString());
        }
    }
    return table;
}

Result<Table> LakeTransaction::run(const std::vector<std::string>& statements) {
    Table last;
    for (const std::string& sql : statements) {
        auto done = run(sql);
        if (!done) return done;
        last = std::move(*done);
    }
    return last;
}

Error LakeTransaction::describe(const duckdb::ErrorData& data) const {
    Error error = database_.describe(data);
    if (data.Type() == duckdb::ExceptionType::CATALOG) error.kind = ErrorKind::not_found;
    if (data.Type() == duckdb::ExceptionType::TRANSACTION) error.kind = ErrorKind::conflict;
    return error;
}

std::string identifier(const std::string& name) {
    return duckdb::KeywordHelper::WriteQuoted(name, '"');
}

std::string undo_message(const std::string& what) {
    return fmt::format("CALL lake.set_commit_message('boathouse undo', {})", literal(what));
}

}  // namespace boathouse::engine
