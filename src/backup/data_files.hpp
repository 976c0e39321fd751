// The lake's files as its catalog lists them, and whether they are there.
//
// The catalog is asked, as the engine's role, and the file system or the bucket, which is listed. Blocking; one thread.
#pragma once

#include <string>
#include <vector>

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

struct FileFindings {
    long long files = 0;  // of the newest snapshot
    long long bytes = 0;
    std::vector<std::string> missing{};  // of the newest snapshot: paths, each with what is wrong with it
    long long history_files = 0;         // of older snapshots
    long long history_missing = 0;
};

// There, with the size that the catalog says. `data_path`: the lake's. Errors: those of S3Client.
Result<FileFindings> check_files(const std::vector<DataFile>& files, const std::string& data_path,
                                 const config::Settings& settings);

}  // namespace boathouse::backup
