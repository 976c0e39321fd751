#include "backup/store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "base/file.hpp"

namespace boathouse::backup {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFileMode = 0600;
constexpr fs::perms kDirectoryMode = fs::perms::owner_all;

Status make_durable(const fs::path& directory) {
    const FileDescriptor file(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!file || ::fsync(file.get()) != 0) return os_error("cannot make " + directory.string() + " durable", errno);
    return {};
}

// Those that are missing on the way, each private and durable in its parent.
Status make_directories(const fs::path& directory) {
    std::error_code failed;
    if (directory.empty() || fs::is_directory(directory, failed)) return {};
    if (auto made = make_directories(directory.parent_path()); !made) return made;
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
        return os_error("cannot create the directory " + directory.string(), errno);
    }
    fs::permissions(directory, kDirectoryMode, failed);
    return make_durable(directory.parent_path());
}

class FileSink final : public Sink {
  public:
    FileSink(FileDescriptor file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
    FileSink(const FileSink&) = delete;
    FileSink& operator=(const FileSink&) = delete;
    ~FileSink() override {
        if (!is_finished_) ::unlink(unfinished().c_str());
    }

    Status write(std::string_view bytes) override {
        while (!bytes.empty()) {
            const ssize_t count = ::write(file_.get(), bytes.data(), bytes.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return os_error("cannot write " + path_, errno);
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
        return {};
    }
    Status finish() override {
        if (::fsync(file_.get()) != 0) return os_error("cannot make " + path_ + " durable", errno);
        if (::rename(unfinished().c_str(), path_.c_str()) != 0) return os_error("cannot rename " + unfinished(), errno);
        is_finished_ = true;
        return make_durable(fs::path(path_).parent_path());
    }

  private:
    std::string unfinished() const { return path_ + std::string(kUnfinished); }
    FileDescriptor file_;
    const std::string path_;
    bool is_finished_ = false;
};

class FileSource final : public Source {
  public:
    FileSource(FileDescriptor file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
    Result<std::size_t> read(char* buffer, std::size_t size) override {
        while (true) {
            const ssize_t count = ::read(file_.get(), buffer, size);
            if (count >= 0) return static_cast<std::size_t>(count);
            if (errno != EINTR) return os_error("cannot read " + path_, errno);
        }
    }

  private:
    FileDescriptor file_;
    const std::string path_;
};

double unix_time(const struct stat& status) {
    return static_cast<double>(status.st_mtim.tv_sec) + static_cast<double>(status.st_mtim.tv_nsec) / 1e9;
}

}  // namespace

Result<std::unique_ptr<Source>> read_local_file(const std::string& path) {
    FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return os_error("cannot read " + path, errno);
    return std::unique_ptr<Source>(std::make_unique<FileSource>(std::move(file), path));
}

Result<std::unique_ptr<Sink>> create_local_file(const std::string& path, Existing existing) {
    if (existing == Existing::refused && ::access(path.c_str(), F_OK) == 0) {
        return Error{ErrorKind::conflict, path + " exists, and nothing of a backup is overwritten", "", ""};
    }
    if (auto made = make_directories(fs::path(path).parent_path()); !made) return made.error();
    const std::string unfinished = path + std::string(kUnfinished);
    FileDescriptor file(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode));
    if (!file) return os_error("cannot create " + path, errno);
    return std::unique_ptr<Sink>(std::make_unique<FileSink>(std::move(file), path));
}

Result<Store> Store::make(const std::string& directory) {
    if (auto made = make_directories(directory); !made) return made.error();
    if (::access(directory.c_str(), R_OK | W_OK | X_OK) == 0) return Store(directory);
    Error error = os_error("cannot write to the backups' directory " + directory, errno);
    error.hint = "Give it to the user that runs the box (chown), or name another with --backup-to.";
    return error;
}

Result<Store> Store::open(const std::string& directory) {
    std::error_code failed;
    if (fs::is_directory(directory, failed)) return Store(directory);
    return Error{ErrorKind::not_found, "there are no backups in " + directory + ": no such directory",
                 "Name the directory that holds them with --backup-to; is its disk mounted?", ""};
}

Result<std::unique_ptr<Sink>> Store::create(const std::string& name) const {
    return create_local_file(path(name), Existing::refused);
}

Result<std::unique_ptr<Source>> Store::read(const std::string& name) const {
    return read_local_file(path(name));
}

Status Store::write_text(const std::string& name, std::string_view text) const {
    auto sink = create(name);
    if (!sink) return sink.error();
    if (auto written = (*sink)->write(text); !written) return written;
    return (*sink)->finish();
}

Result<std::string> Store::read_text(const std::string& name) const {
    return read_file(path(name));
}

bool Store::has(const std::string& name) const {
    return ::access(path(name).c_str(), F_OK) == 0;
}

Result<std::vector<Entry>> Store::list(const std::string& directory) const {
    std::vector<Entry> entries;
    std::error_code failed;
    for (const auto& file : fs::directory_iterator(path(directory), failed)) {
        const std::string name = file.path().filename().string();
        struct stat status {};
        if (name.ends_with(kUnfinished) || ::stat(file.path().c_str(), &status) != 0) continue;
        entries.push_back({name, status.st_size, unix_time(status), S_ISDIR(status.st_mode)});
    }
    if (failed && failed != std::errc::no_such_file_or_directory) {
        return os_error("cannot read " + path(directory), failed.value());
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return entries;
}

Status Store::remove(const std::string& name) const {
    std::error_code failed;
    fs::remove_all(path(name), failed);
    if (failed) return os_error("cannot remove " + path(name), failed.value());
    return {};
}

Status Store::rename(const std::string& from, const std::string& to) const {
    if (::rename(path(from).c_str(), path(to).c_str()) != 0) return os_error("cannot rename " + path(from), errno);
    return make_durable(fs::path(path(to)).parent_path());
}

Status Store::remove_unfinished(const std::string& directory) const {
    std::error_code failed;
    std::vector<fs::path> remains;
    for (const auto& file : fs::directory_iterator(path(directory), failed)) {
        if (file.path().filename().string().ends_with(kUnfinished)) remains.push_back(file.path());
    }
    for (const fs::path& file : remains) {
        fs::remove_all(file, failed);
        if (failed) return os_error("cannot remove " + file.string(), failed.value());
    }
    return {};
}

}  // namespace boathouse::backup
