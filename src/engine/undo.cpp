#include "engine/undo.hpp"

#include <functional>

#include "base/log.hpp"
#include "engine/database.hpp"
#include "engine/lake.hpp"

namespace boathouse::engine {
namespace {

constexpr int kDifferencesMax = 10'000;

std::string identifier(const std::string& name) {
    std::string quoted = "\"";
    for (const char character : name) quoted += character == '"' ? std::string("\"\"") : std::string(1, character);
    return quoted + "\"";
}

std::string qualified(const TableName& name) {
    return "lake." + identifier(name.schema) + "." + identifier(name.table);
}

std::string at(const TableName& name, long long snapshot) {
    return fmt::format("{} AT (VERSION => {})", qualified(name), snapshot);
}

// A connection with one transaction, which is undone unless it is committed.
class Transaction {
  public:
    explicit Transaction(Database& database) : database_(database), connection_(database.instance()) {}
    ~Transaction() {
        if (!connection_.IsAutoCommit()) connection_.Query("ROLLBACK");
    }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    Result<Table> run(const std::string& sql) {
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
    Result<Table> run(const std::vector<std::string>& statements) {
        Table last;
        for (const std::string& sql : statements) {
            auto done = run(sql);
            if (!done) return done;
            last = std::move(*done);
        }
        return last;
    }

  private:
    Error describe(const duckdb::ErrorData& data) const {
        Error error = database_.describe(data);
        if (data.Type() == duckdb::ExceptionType::CATALOG) error.kind = ErrorKind::not_found;
        if (data.Type() == duckdb::ExceptionType::TRANSACTION) error.kind = ErrorKind::conflict;
        return error;
    }

    Database& database_;
    duckdb::Connection connection_;
};

std::string message_of(const std::string& what) {
    return fmt::format("CALL lake.set_commit_message('boathouse undo', {})", literal(what));
}

Result<std::vector<std::string>> columns_of(Transaction& transaction, const std::string& relation) {
    auto rows = transaction.run("DESCRIBE SELECT * FROM " + relation);
    if (!rows) return rows.error();
    std::vector<std::string> columns;
    for (const auto& row : *rows) columns.push_back(row.at(0) + " " + row.at(1));
    return columns;
}

Status check_same_columns(Transaction& transaction, const TableName& name, long long snapshot) {
    const auto now = columns_of(transaction, qualified(name));
    if (!now) return now.error();
    const auto then = columns_of(transaction, at(name, snapshot));
    if (!then) return then.error();
    if (*now == *then) return {};
    return Error{ErrorKind::conflict,
                 fmt::format("{}.{} has other columns than in snapshot {}", name.schema, name.table, snapshot),
                 fmt::format("Now: {}. Then: {}. Make a table of what was then: CREATE TABLE … AS FROM {}.",
                             fmt::join(*now, ", "), fmt::join(*then, ", "), at(name, snapshot)),
                 ""};
}

Result<long long> count_and_commit(Transaction& transaction, const TableName& name) {
    auto counted = transaction.run("SELECT count(*) FROM " + qualified(name));
    if (!counted) return counted.error();
    if (auto committed = transaction.run("COMMIT"); !committed) return committed.error();
    return std::stoll(counted->at(0).at(0));
}

// DuckDB throws where it has no result to say it by.
template <class Answer>
Result<Answer> guarded(Database& database, const std::function<Result<Answer>(Transaction&)>& work) {
    try {
        Transaction transaction(database);
        return work(transaction);
    } catch (const std::exception& exception) {
        return database.describe(duckdb::ErrorData(exception));
    }
}

// All rows that are in one and not in the other, as often as they are.
std::string plain_difference(const TableName& name, long long from, long long to) {
    const auto only = [&](long long in, long long not_in) {
        return fmt::format("(FROM {} EXCEPT ALL FROM {})", at(name, in), at(name, not_in));
    };
    return fmt::format(
        "SELECT 'removed', to_json(r)::VARCHAR, NULL::VARCHAR FROM {} AS r UNION ALL "
        "SELECT 'added', NULL, to_json(r)::VARCHAR FROM {} AS r LIMIT {}",
        only(from, to), only(to, from), kDifferencesMax);
}

std::string keyed_difference(const TableName& name, long long from, long long to, const std::vector<std::string>& key) {
    std::string columns;
    std::string condition;
    for (std::size_t i = 0; i < key.size(); ++i) {
        columns += fmt::format(", {} AS k{}", identifier(key[i]), i);
        condition += fmt::format("{}o.k{} IS NOT DISTINCT FROM n.k{}", i == 0 ? "" : " AND ", i, i);
    }
    const auto rows = [&](long long snapshot) {
        return fmt::format("(SELECT r AS row, true AS there{} FROM (FROM {}) AS r)", columns, at(name, snapshot));
    };
    return fmt::format(
        "SELECT CASE WHEN o.there IS NULL THEN 'added' WHEN n.there IS NULL THEN 'removed' ELSE 'changed' END, "
        "CASE WHEN o.there THEN to_json(o.row)::VARCHAR END, CASE WHEN n.there THEN to_json(n.row)::VARCHAR END "
        "FROM {} AS o FULL JOIN {} AS n ON {} WHERE o.row IS DISTINCT FROM n.row LIMIT {}",
        rows(from), rows(to), condition, kDifferencesMax);
}

}  // namespace

Result<long long> restore_table(Lake& lake, const TableName& name, long long snapshot) {
    return guarded<long long>(lake.database(), [&](Transaction& transaction) -> Result<long long> {
        if (auto begun = transaction.run("BEGIN"); !begun) return begun.error();
        if (auto same = check_same_columns(transaction, name, snapshot); !same) return same.error();
        const auto what = fmt::format("{}.{} as of snapshot {}", name.schema, name.table, snapshot);
        // Aside first: DuckLake takes what the transaction has deleted out of older snapshots too, within it.
        auto done = transaction.run(
            {message_of(what), "CREATE TEMP TABLE boathouse_restored AS FROM " + at(name, snapshot),
             "DELETE FROM " + qualified(name), "INSERT INTO " + qualified(name) + " FROM boathouse_restored"});
        if (!done) return done.error();
        return count_and_commit(transaction, name);
    });
}

Result<long long> undrop_table(Lake& lake, const TableName& name, long long snapshot) {
    return guarded<long long>(lake.database(), [&](Transaction& transaction) -> Result<long long> {
        const auto what = fmt::format("{}.{} undropped from snapshot {}", name.schema, name.table, snapshot);
        auto done =
            transaction.run({"BEGIN", message_of(what), "CREATE SCHEMA IF NOT EXISTS lake." + identifier(name.schema),
                             "CREATE TABLE " + qualified(name) + " AS FROM " + at(name, snapshot)});
        if (!done) return done.error();
        return count_and_commit(transaction, name);
    });
}

Result<std::vector<RowDifference>> difference(Lake& lake, const TableName& name, long long from, long long to,
                                              const std::vector<std::string>& key) {
    using Differences = std::vector<RowDifference>;
    return guarded<Differences>(lake.database(), [&](Transaction& transaction) -> Result<Differences> {
        auto rows =
            transaction.run(key.empty() ? plain_difference(name, from, to) : keyed_difference(name, from, to, key));
        if (!rows) return rows.error();
        Differences differences;
        for (auto& row : *rows) differences.push_back({row.at(0), row.at(1), row.at(2)});
        return differences;
    });
}

}  // namespace boathouse::engine
