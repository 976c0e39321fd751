#include "backup/data_files.hpp"

#include <filesystem>
#include <map>

#include "backup/local_file.hpp"
#include "backup/s3_client.hpp"
#include "backup/s3_store.hpp"
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

// Paths are relative to the lake's here.
constexpr const char* kSuperseded = R"sql(
SELECT CASE WHEN path_is_relative THEN lake.value || path ELSE path END
  FROM public.ducklake_files_scheduled_for_deletion, public.ducklake_metadata lake
 WHERE lake.key = 'data_path' AND lake.scope IS NULL)sql";

constexpr std::string_view kScheme = "s3://";
std::string bucket_of(const std::string& url) {
    return url.substr(0, url.find('/', kScheme.size()));
}
std::string key_of(const std::string& url) {
    const std::size_t slash = url.find('/', kScheme.size());
    return slash == std::string::npos ? "" : url.substr(slash + 1);
}

struct Size {
    long long bytes = -1;  // negative: it is not there
    std::string why{};
};

// The sizes of objects by their URLs: those below the lake's path from a listing, others one by one.
class BucketSizes {
  public:
    explicit BucketSizes(const config::Settings& settings) : settings_(settings) {}

    Status list(const std::string& url) {
        auto client = S3Client::open(url, settings_);
        if (!client) return client.error();
        const auto listing = (*client)->list(key_of(url), false);
        if (!listing) return listing.error();
        for (const auto& object : listing->objects) listed_[bucket_of(url) + "/" + object.key] = object.bytes;
        listed_url_ = url;
        return {};
    }
    Result<Size> of(const std::string& url) const {
        if (!listed_url_.empty() && url.starts_with(listed_url_)) {
            const auto found = listed_.find(bucket_of(url) + "/" + key_of(url));
            return found == listed_.end() ? none() : Size{found->second, ""};
        }
        auto client = S3Client::open(url, settings_);
        if (!client) return client.error();
        const auto size = (*client)->size(key_of(url));
        if (!size) return size.error();
        return *size ? Size{**size, ""} : none();
    }

  private:
    static Size none() { return {-1, "it is not in the bucket"}; }

    const config::Settings& settings_;
    std::string listed_url_;
    std::map<std::string, long long> listed_;  // by "s3://bucket/key"
};

Size size_on_disk(const std::string& path) {
    std::error_code failed;
    const auto size = std::filesystem::file_size(path, failed);
    return failed ? Size{-1, failed.message()} : Size{static_cast<long long>(size), ""};
}

// Empty: it is there, whole.
std::string fault_of(const DataFile& file, const Size& size) {
    if (size.bytes < 0) return size.why;
    return size.bytes == file.bytes ? "" : fmt::format("{} bytes instead of {}", size.bytes, file.bytes);
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

Result<std::vector<DataFile>> read_superseded_files(catalog::Connection& lake) {
    const auto rows = lake.query(kSuperseded);
    if (!rows) return rows.error();
    std::vector<DataFile> files;
    files.reserve(rows->size());
    for (const catalog::Row& row : *rows) files.push_back({.path = row.at(0).value_or(""), .bytes = -1});
    return files;
}

Result<std::unique_ptr<Source>> LakeFiles::read(const std::string& path) {
    if (!config::is_s3(path)) return read_local_file(path);
    const std::string bucket = bucket_of(path);
    auto& store = buckets_[bucket];
    if (!store) {
        auto client = S3Client::open(bucket, settings_);
        if (!client) return client.error();
        store = std::make_unique<S3Store>(std::move(*client), bucket);
    }
    return store->read(key_of(path));
}

void note(const DataFile& file, const std::string& fault, FileFindings& findings) {
    if (!file.is_current) {
        ++findings.history_files;
        findings.history_missing += fault.empty() ? 0 : 1;
        return;
    }
    ++findings.files;
    findings.bytes += file.bytes;
    if (!fault.empty()) findings.missing.push_back(file.path + ": " + fault);
}

Result<std::string> look_for(const DataFile& file, const config::Settings& settings) {
    const auto size = config::is_s3(file.path) ? BucketSizes(settings).of(file.path) : size_on_disk(file.path);
    if (!size) return size.error();
    return fault_of(file, *size);
}

Result<FileFindings> check_files(const std::vector<DataFile>& files, const std::string& data_path,
                                 const config::Settings& settings) {
    BucketSizes bucket(settings);
    if (config::is_s3(data_path)) {
        if (auto listed = bucket.list(data_path); !listed) return listed.error();
    }
    FileFindings findings;
    for (const DataFile& file : files) {
        const auto size = config::is_s3(file.path) ? bucket.of(file.path) : size_on_disk(file.path);
        if (!size) return size.error();
        note(file, fault_of(file, *size), findings);
    }
    return findings;
}

}  // namespace boathouse::backup
