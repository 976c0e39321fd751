// A transaction of the box's own in the lake, on a connection beside the sessions', undone unless it is committed.
//
// Private to src/engine/: it shows DuckDB. One thread. Errors: not_found (DuckDB's catalog has no such thing), conflict
// (somebody wrote meanwhile), those of Database::describe.
#pragma once

#include <duckdb.hpp>
#include <functional>
#include <string>
#include <vector>

#include "engine/database.hpp"
#include "engine/lake.hpp"

namespace boathouse::engine {

class LakeTransaction {
  public:
    explicit LakeTransaction(Database& database) : database_(database), connection_(database.instance()) {}
    ~LakeTransaction() {
        if (!connection_.IsAutoCommit()) connection_.Query("ROLLBACK");
    }
    LakeTransaction(const LakeTransaction&) = delete;
    LakeTransaction& operator=(const LakeTransaction&) = delete;

    // The rows of the last.
    Result<Table> run(const std::string& sql);
    Result<Table> run(const std::vector<std::string>& statements);

    duckdb::ClientContext& context() { return *connection_.context; }

  private:
    Error describe(const duckdb::ErrorData& data) const;

    Database& database_;
    duckdb::Connection connection_;
};

// Runs `work` in one; DuckDB throws where it has no result to say it by.
template <class Answer>
Result<Answer> in_transaction(Lake& lake, const std::function<Result<Answer>(LakeTransaction&)>& work) {
    try {
        LakeTransaction transaction(lake.database());
        return work(transaction);
    } catch (const std::exception& exception) {
        return lake.database().describe(duckdb::ErrorData(exception));
    }
}

// "name", quoted for DuckDB's SQL.
std::string identifier(const std::string& name);
// A statement that says in the snapshot's message what was brought back.
std::string undo_message(const std::string& what);

}  // namespace boathouse::engine
