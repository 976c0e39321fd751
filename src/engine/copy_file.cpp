#include "engine/copy_file.hpp"

#include <atomic>
#include <duckdb/common/file_system.hpp>

namespace boathouse::engine {

namespace {

std::string directory_of(duckdb::DatabaseInstance& database) {
    return duckdb::DBConfig::GetConfig(database).options.temporary_directory + "/copy";
}

std::string next_path(duckdb::DatabaseInstance& database) {
    static std::atomic<std::uint64_t> count{0};
    return directory_of(database) + "/" + std::to_string(count++) + ".parquet";
}

}  // namespace

std::string open_copy_directory(duckdb::DatabaseInstance& database) {
    duckdb::FileSystem& files = duckdb::FileSystem::GetFileSystem(database);
    std::string directory = directory_of(database);
    // What a killed engine has left behind.
    if (files.DirectoryExists(directory)) files.RemoveDirectory(directory);
    files.CreateDirectoriesRecursive(directory);
    return directory;
}

CopyFile::CopyFile(duckdb::DatabaseInstance& database)
    : files_(duckdb::FileSystem::GetFileSystem(database)), path_(next_path(database)) {}

CopyFile::~CopyFile() {
    writing_.reset();
    reading_.reset();
    try {
        if (files_.FileExists(path_)) files_.RemoveFile(path_);
    } catch (const std::exception&) {
        // The next start removes it.
    }
}

void CopyFile::append(std::string_view bytes) {
    if (!writing_) {
        writing_ =
            files_.OpenFile(path_, duckdb::FileFlags::FILE_FLAGS_WRITE | duckdb::FileFlags::FILE_FLAGS_FILE_CREATE_NEW);
    }
    std::string_view rest = bytes;
    while (!rest.empty()) {
        const auto written = writing_->Write(const_cast<char*>(rest.data()), rest.size());
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
}

void CopyFile::close() {
    append({});
    writing_->Close();
    writing_.reset();
}

std::size_t CopyFile::read(char* to, std::size_t count) {
    if (!reading_) reading_ = files_.OpenFile(path_, duckdb::FileFlags::FILE_FLAGS_READ);
    return static_cast<std::size_t>(reading_->Read(to, count));
}

}  // namespace boathouse::engine
