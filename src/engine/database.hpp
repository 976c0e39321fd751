// DuckDB, embedded: one instance, configured for a server, with the official extensions loaded.
//
// Private to src/engine/. Owned by the Lake; any thread may call query(), each call has a connection of its own.
// DuckDB's exceptions become Errors here, with the box's secrets taken out of their texts.
#pragma once

#include <duckdb.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "config/settings.hpp"
#include "engine/scrubber.hpp"
#include "engine/stream_budget.hpp"

namespace boathouse::engine {

// Rows as text, NULL as "".
using Table = std::vector<std::vector<std::string>>;

class Database {
  public:
    // Errors: configuration (an extension is missing, of another version, or its signature does not fit; an
    // unusable spill directory), limit (out of memory).
    static Result<std::unique_ptr<Database>> open(const config::Settings& settings, Scrubber scrubber);

    // One or more statements; the rows of the last.
    Result<Table> query(const std::string& sql);

    // Runs `work` with the file systems of the loaded extensions, in a transaction, as httpfs needs one to find its
    // secret. An exception of DuckDB comes out as it is: the caller knows what it means.
    void with_file_system(const std::function<void(duckdb::FileSystem&)>& work);

    // What went wrong, in DuckDB's words but for the secrets.
    Error describe(const duckdb::ErrorData& data) const;
    const Scrubber& scrubber() const { return scrubber_; }

    // For results that clients take as they come.
    StreamBudget& stream_budget() { return stream_budget_; }

    // For connections that live longer than one query(): those of SQL clients.
    duckdb::DatabaseInstance& instance() { return *instance_.instance; }

  private:
    Database(duckdb::DBConfig& config, Scrubber scrubber, std::size_t stream_bytes);

    Scrubber scrubber_;
    StreamBudget stream_budget_;
    duckdb::DuckDB instance_;
};

// 'text', quoted for DuckDB's SQL.
std::string literal(const std::string& text);

}  // namespace boathouse::engine
