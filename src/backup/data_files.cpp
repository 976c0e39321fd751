#include "backup/data_files.hpp"

#include <filesystem>

#include "base/log.hpp"

namespace boathouse::backup {
namespace {

// A path is relative to its table's, that to its schema's, and that to the lake's, unless it says otherwise (DuckLake's
// specification, "Paths"). A table that was renamed or altered has several rows.
constexpr const char* kFiles = R"sql(
WITH lake AS (
    SELECT value AS path FROM public.ducklake_metadata WHERE key = 'data_path' AND scope IS NULL
), newest AS (
    SELECT max(snapshot_id) AS id FROM public.ducklake_snapshot
), schemas AS (
    SELECT DISTINCT ON (schema_id) schema_id,
           CASE WHEN path_is_relative THEN lake.path || schema.path ELSE schema.path END AS path
      FROM public.ducklake_schema schema, lake ORDER BY schema_id, begin_snapshot DESC
), tables AS (
    SELECT DISTINCT ON (table_id) table_id,
           CASE WHEN path_is_relative THEN schemas.path || tab.path ELSE tab.path END AS path
      FROM public.ducklake_table tab JOIN schemas USING (schema_id) ORDER BY table_id, begin_snapshot DESC
), files AS (
    SELECT table_id, path, path_is_relative, file_size_bytes, begin_snapshot, end_snapshot
      FROM public.ducklake_data_file
    UNION ALL
    SELECT table_id, path, path_is_relative, file_size_bytes, begin_snapshot, end_snapshot
      FROM public.ducklake_delete_file
)
SELECT CASE WHEN files.path_is_relative THEN tables.path || files.path ELSE files.path END,
       coalesce(file_size_bytes, 0),
       begin_snapshot <= newest.id AND (end_snapshot IS NULL OR end_snapshot > newest.id)
  FROM files JOIN tables USING (table_id), newest)sql";

// Empty: it is there, whole.
std::string fault_of(const DataFile& file) {
    std::error_code failed;
    const auto size = std::filesystem::file_size(file.path, failed);
    if (failed) return failed.message();
    if (static_cast<long long>(size) == file.bytes) return "";
    return fmt::format("{} bytes instead of {}", size, file.bytes);
}

}  // namespace

Result<std::vector<DataFile>> read_data_files(catalog::Connection& lake) {
    const auto rows = lake.query(kFiles);
    if (!rows) return rows.error();
    std::vector<DataFile> files;
    files.reserve(rows->size());
    for (const catalog::Row& row : *rows) {
        files.push_back({row.at(0).value_or(""), std::stoll(row.at(1).value_or("0")), row.at(2) == "t"});
    }
    return files;
}

FileFindings check_local_files(const std::vector<DataFile>& files) {
    FileFindings findings;
    for (const DataFile& file : files) {
        const std::string fault = fault_of(file);
        if (!file.is_current) {
            ++findings.history_files;
            findings.history_missing += fault.empty() ? 0 : 1;
            continue;
        }
        ++findings.files;
        findings.bytes += file.bytes;
        if (!fault.empty()) findings.missing.push_back(file.path + ": " + fault);
    }
    return findings;
}

}  // namespace boathouse::backup
