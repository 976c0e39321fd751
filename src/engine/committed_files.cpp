#include "engine/committed_files.hpp"

#include <boost/json.hpp>
#include <set>

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

Result<Names> referenced(const config::Settings& settings, const Names& names) {
    const auto endpoint = catalog::lake_endpoint(settings);
    if (!endpoint) return endpoint.error();
    auto connection = catalog::Connection::open(*endpoint);
    if (!connection) return connection.error();
    boost::json::array array;
    for (const std::string& name : names) array.emplace_back(name);
    const auto rows = connection->query(kReferenced, {boost::json::serialize(array)});
    if (!rows) return rows.error();
    Names found;
    for (const catalog::Row& row : *rows) found.insert(row[0].value_or(""));
    return found;
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
