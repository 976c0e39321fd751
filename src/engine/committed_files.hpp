// DuckDB's file systems, but for one thing: a data file that the catalog refers to is not removed.
//
// DuckLake 1.0 takes a COMMIT whose answer it does not hear for failed, and removes the files that it has written. When
// the catalog's server dies, or the connection to it, just after it has committed, the lake would refer to files that
// are gone. So the catalog is asked before a data file is removed, on a connection for that alone and once nothing runs
// there that might still commit it (10 seconds at most); where it does not answer the file stays, for the keeper to
// find as an orphan. Private to src/engine/. Any thread; blocks on PostgreSQL.
#pragma once

#include <duckdb.hpp>
#include <duckdb/common/virtual_file_system.hpp>

#include "config/settings.hpp"

namespace boathouse::engine {

class CommittedFiles final : public duckdb::VirtualFileSystem {
  public:
    explicit CommittedFiles(config::Settings settings) : settings_(std::move(settings)) {}

    void RemoveFile(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener> opener) override;
    bool TryRemoveFile(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener> opener) override;
    void RemoveFiles(const duckdb::vector<std::string>& paths,
                     duckdb::optional_ptr<duckdb::FileOpener> opener) override;

  private:
    // Those that may go.
    duckdb::vector<std::string> unreferenced(const duckdb::vector<std::string>& paths) const;

    const config::Settings settings_;
};

}  // namespace boathouse::engine
