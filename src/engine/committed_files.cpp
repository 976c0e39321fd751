#include "engine/committed_files.hpp"

#include <boost/json.hpp>
#include <chrono>
#include <set>
#include <thread>

#include "base/log.hpp"
#include "catalog/connection.hpp"

namespace boathouse::engine {
namespace {

using Names = std::set<std::string>;

std::string name_of(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

// As DuckLake names what it writes.
bool is_data_file(const std::string& path) {
    const std::string name = name_of(path);
    return name.starts_with("ducklake-") && name.ends_with(".parquet");
}

constexpr const char* kReferenced =
    "SELECT name FROM pg_catalog.json_array_elements_text($1::json) AS name WHERE name IN ("
    "SELECT pg_catalog.regexp_replace(path, '^.*/', '') FROM public.ducklake_data_file "
    "UNION ALL SELECT pg_catalog.regexp_replace(path, '^.*/', '') FROM public.ducklake_delete_file)";

// What the lake's owner has running: the connection may be gone and the server still be at the commit.
constexpr const char* kRunning =
    "SELECT pid || ' ' || xact_start FROM pg_catalog.pg_stat_activity WHERE usename = current_user "
    "AND datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() AND state = 'active' "
    "AND xact_start IS NOT NULL";
constexpr std::chrono::milliseconds kAskAgain{10};
constexpr std::chrono::seconds kWaitMax{10};

Result<Names> names_of(catalog::Connection& connection, const char* query,
                       const std::vector<std::optional<std::string>>& parameters) {
    const auto rows = connection.query(query, parameters);
    if (!rows) return rows.error();
    Names found;
    for (const catalog::Row& row : *rows) found.insert(row[0].value_or(""));
    return found;
}

// Waits for what runs now.
Status wait_for_running(catalog::Connection& connection) {
    const auto deadline = std::chrono::steady_clock::now() + kWaitMax;
    auto waited = names_of(connection, kRunning, {});
    while (waited && !waited->empty()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return Error{
                ErrorKind::unavailable,
                fmt::format("{} transactions of the catalog run on, and one may be what commits them", waited->size()),
                "", ""};
        }
        std::this_thread::sleep_for(kAskAgain);
        const auto running = names_of(connection, kRunning, {});
        if (!running) return running.error();
        std::erase_if(*waited, [&](const std::string& one) { return !running->contains(one); });
    }
    if (!waited) return waited.error();
    return {};
}

Result<Names> referenced(const config::Settings& settings, const Names& names) {
    const auto endpoint = catalog::lake_endpoint(settings);
    if (!endpoint) return endpoint.error();
    auto connection = catalog::Connection::open(*endpoint);
    if (!connection) return connection.error();
    if (const Status waited = wait_for_running(*connection); !waited) return waited.error();
    boost::json::array array;
    for (const std::string& name : names) array.emplace_back(name);
    return names_of(*connection, kReferenced, {boost::json::serialize(array)});
}

}  // namespace

duckdb::vector<std::string> CommittedFiles::unreferenced(const duckdb::vector<std::string>& paths) const {
    Names names;
    for (const std::string& path : paths) {
        if (is_data_file(path)) names.insert(name_of(path));
    }
    if (names.empty()) return paths;
    auto stay = referenced(settings_, names);
    if (!stay) {
        log_info("engine", "{} data files that were to be removed stay: {}", names.size(), stay.error().message);
        stay = std::move(names);
    }
    duckdb::vector<std::string> gone;
    for (const std::string& path : paths) {
        if (!is_data_file(path) || !stay->contains(name_of(path))) gone.push_back(path);
    }
    return gone;
}

void CommittedFiles::RemoveFile(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener> opener) {
    if (!unreferenced({path}).empty()) VirtualFileSystem::RemoveFile(path, opener);
}

bool CommittedFiles::TryRemoveFile(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener> opener) {
    return !unreferenced({path}).empty() && VirtualFileSystem::TryRemoveFile(path, opener);
}

void CommittedFiles::RemoveFiles(const duckdb::vector<std::string>& paths,
                                 duckdb::optional_ptr<duckdb::FileOpener> opener) {
    const auto gone = unreferenced(paths);
    if (!gone.empty()) VirtualFileSystem::RemoveFiles(gone, opener);
}

}  // namespace boathouse::engine
