// DuckLake's maintenance functions, run on a DuckDB apart from the clients': one thread and a memory limit of its own,
// so that a compaction neither takes a query's threads nor breaks its engine.
//
// Each call is one transaction, or none if it fails. A compaction carries kKeeperAuthor and what the trigger of
// catalog/give_way.hpp wants to know. Used by one thread, but for interrupt(). Errors: conflict (the step gave way to
// somebody's transaction), limit (memory), unavailable, internal, in DuckDB's words.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "config/settings.hpp"

namespace boathouse::engine {

struct MaintainedTable {
    long long id = 0;
    std::string schema{}, table{};
};

struct MergeBounds {
    long long target_bytes = 0;    // of a file that comes out
    long long file_bytes_max = 0;  // of a file that goes in
    long long files_out_max = 0;
};

class Maintenance {
  public:
    // Opens the DuckDB and attaches the lake, which must exist.
    static Result<std::unique_ptr<Maintenance>> open(const config::Settings& settings, catalog::Endpoint lake,
                                                     std::int64_t memory_mb);
    ~Maintenance();

    // Each gives how many files or rows it was about.
    Result<long long> flush(const MaintainedTable& table, const std::string& why);
    Result<long long> merge(const MaintainedTable& table, const MergeBounds& bounds, const std::string& why);
    Result<long long> rewrite(const MaintainedTable& table, double delete_threshold, const std::string& why);
    Result<long long> expire(const std::vector<long long>& snapshots);
    // Of the files that no snapshot refers to, those given up before a moment (seconds since 1970).
    Result<long long> cleanup(double before_unix);
    // Files in the data path that the catalog does not know, last changed before a moment. Refuses, and deletes
    // nothing, where one does not have a name as DuckLake gives.
    Result<long long> delete_orphans(double before_unix);

    // Makes what runs, and what is called later, fail. Any thread.
    void interrupt();

  private:
    struct Impl;
    explicit Maintenance(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace boathouse::engine
