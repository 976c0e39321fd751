// The lake, attached in an embedded DuckDB: opened, created when the catalog is empty, and asked.
//
// A Lake owns its DuckDB instance; it is opened once by the engine's main thread. Its members may be called from any
// thread. DuckDB's exceptions stop here: callers see Error. Nothing in this header includes duckdb.hpp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "config/settings.hpp"
#include "engine/kept_counts.hpp"

namespace boathouse::engine {

class CommitTurns;
class Database;
class KeptTables;
class TableShapes;

struct LakeInfo {
    std::string version;    // DuckLake's catalog version, "1.0"
    std::string data_path;  // as stored in the catalog
    long long snapshot = 0;
    bool created = false;  // by this open()
};

class Lake {
  public:
    // Opens DuckDB with the official extensions, checks that the data path can be read and written, attaches the
    // lake and creates it if the catalog is empty. Errors: configuration (a data path that disagrees with the catalog,
    // a bucket that does not exist, a wrong key or region), permission, unavailable (catalog), corrupt (catalog
    // version).
    static Result<std::unique_ptr<Lake>> open(const config::Settings& settings, const catalog::Endpoint& catalog);
    ~Lake();

    const LakeInfo& info() const;

    // The newest snapshot's number, asked through DuckDB. Errors: unavailable (catalog), corrupt (it holds none).
    Result<long long> newest_snapshot();
    // The same, once DuckDB has loaded what the lake holds, as it does for a client's statement: the proof that queries
    // succeed. Errors: also corrupt (entries that contradict one another).
    Result<long long> newest_loaded_snapshot();

    // What broke DuckDB: an internal error, after which it refuses every statement until the process is started again.
    // One look at a flag; any thread.
    std::optional<std::string> failure();

    // The DuckDB that holds the lake, and what its sessions share; for this folder only.
    Database& database();
    CommitTurns& commit_turns();
    // Of INSERTs through the SQL door; made when it admits clients.
    TableShapes& shapes();
    void make_shapes();
    // Small ones, for queries. Null: none are kept.
    KeptTables* kept_tables();
    // Any thread.
    KeptCounts kept_counts() const;

  private:
    struct Impl;
    explicit Lake(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace boathouse::engine
