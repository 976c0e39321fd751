// The lake's files as its catalog lists them, and whether they are there.
//
// The catalog is asked, as the engine's role, and the file system or the bucket, which is listed. Blocking; one thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backup/store.hpp"
#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "config/settings.hpp"

namespace boathouse::backup {

struct DataFile {
    std::string path{};  // absolute, or an s3:// URL
    long long bytes = 0;
    bool is_current = false;  // of the newest snapshot; else of an older one that is kept
};

// Data files and delete files of all snapshots that are kept.
Result<std::vector<DataFile>> read_data_files(catalog::Connection& lake);
// Those that no snapshot refers to any more and that have not been deleted yet; how large they are is not known (-1).
Result<std::vector<DataFile>> read_superseded_files(catalog::Connection& lake);

// Where the lake's files are read, one by one: on disk, or in the bucket that a path names. One thread.
class LakeFiles {
  public:
    explicit LakeFiles(const config::Settings& settings) : settings_(settings) {}
    // Errors: not_found (there is no such file), those of S3Client.
    Result<std::unique_ptr<Source>> read(const std::string& path);

  private:
    const config::Settings& settings_;
    std::map<std::string, std::unique_ptr<Store>> buckets_;  // by "s3://bucket"
};

struct FileFindings {
    long long files = 0;  // of the newest snapshot
    long long bytes = 0;
    std::vector<std::string> missing{};  // of the newest snapshot: paths, each with what is wrong with it
    long long history_files = 0;         // of older snapshots
    long long history_missing = 0;
};

// Counts the file among the findings; `fault`: what is wrong with it, empty where it is there and whole.
void note(const DataFile& file, const std::string& fault, FileFindings& findings);
// What is wrong with one file where the catalog says that it is. Errors: those of S3Client.
Result<std::string> look_for(const DataFile& file, const config::Settings& settings);

// There, with the size that the catalog says. `data_path`: the lake's. Errors: those of S3Client.
Result<FileFindings> check_files(const std::vector<DataFile>& files, const std::string& data_path,
                                 const config::Settings& settings);

}  // namespace boathouse::backup
