#include "backup/directory_store.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/file.hpp"

namespace boathouse::backup {

namespace fs = std::filesystem;

Result<std::unique_ptr<Store>> DirectoryStore::make(const std::string& directory, Readers readers) {
    if (auto made = make_directories(directory, readers); !made) return made.error();
    if (::access(directory.c_str(), R_OK | W_OK | X_OK) == 0)
        return std::unique_ptr<Store>(std::make_unique<DirectoryStore>(directory, readers));
    Error error = os_error("cannot write to the directory " + directory, errno);
    error.hint = "Give it to the user that runs the box (chown), or name another.";
    return error;
}

Result<std::unique_ptr<Store>> DirectoryStore::open(const std::string& directory) {
    std::error_code failed;
    if (fs::is_directory(directory, failed))
        return std::unique_ptr<Store>(std::make_unique<DirectoryStore>(directory, Readers::owner));
    return Error{ErrorKind::not_found, "there are no backups in " + directory + ": no such directory",
                 "Name the directory that holds them with --backup-to; is its disk mounted?", ""};
}

Result<std::unique_ptr<Sink>> DirectoryStore::create(const std::string& name) const {
    return create_local_file(path(name), Existing::refused, readers_);
}

Result<std::unique_ptr<Source>> DirectoryStore::read(const std::string& name) const {
    return read_local_file(path(name));
}

Result<bool> DirectoryStore::has(const std::string& name) const {
    if (::access(path(name).c_str(), F_OK) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return os_error("cannot look for " + path(name), errno);
}

Result<std::vector<Entry>> DirectoryStore::list(const std::string& directory) const {
    std::vector<Entry> entries;
    std::error_code failed;
    for (const auto& file : fs::directory_iterator(path(directory), failed)) {
        const std::string name = file.path().filename().string();
        struct stat status {};
        if (name.ends_with(kUnfinished) || ::stat(file.path().c_str(), &status) != 0) continue;
        entries.push_back({name, status.st_size, S_ISDIR(status.st_mode)});
    }
    if (failed && failed != std::errc::no_such_file_or_directory) {
        return os_error("cannot read " + path(directory), failed.value());
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return entries;
}

Result<std::vector<Entry>> DirectoryStore::list_all(const std::string& directory) const {
    std::vector<Entry> entries;
    std::error_code failed;
    for (fs::recursive_directory_iterator file(path(directory), failed), end; !failed && file != end;
         file.increment(failed)) {
        std::error_code vanished;
        if (!file->is_regular_file(vanished) || file->path().filename().string().ends_with(kUnfinished)) continue;
        entries.push_back({.name = file->path().lexically_relative(path(directory)).string(),
                           .bytes = static_cast<long long>(file->file_size(vanished))});
    }
    if (failed && failed != std::errc::no_such_file_or_directory) {
        return os_error("cannot read " + path(directory), failed.value());
    }
    return entries;
}

Status DirectoryStore::remove(const std::string& name) const {
    std::error_code failed;
    fs::remove_all(path(name), failed);
    if (failed) return os_error("cannot remove " + path(name), failed.value());
    return {};
}

Status DirectoryStore::remove_unfinished(const std::string& directory) const {
    std::error_code failed;
    std::vector<fs::path> remains;
    for (const auto& file : fs::recursive_directory_iterator(path(directory), failed)) {
        if (file.path().filename().string().ends_with(kUnfinished)) remains.push_back(file.path());
    }
    for (const fs::path& file : remains) {
        fs::remove_all(file, failed);
        if (failed) return os_error("cannot remove " + file.string(), failed.value());
    }
    return {};
}

}  // namespace boathouse::backup
