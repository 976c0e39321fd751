#include "backup/local_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/file.hpp"

namespace boathouse::backup {
namespace {

namespace fs = std::filesystem;

mode_t file_mode(Readers readers) {
    return readers == Readers::owner ? 0600 : 0644;
}

mode_t directory_mode(Readers readers) {
    return readers == Readers::owner ? 0700 : 0755;
}

Status make_durable(const fs::path& directory) {
    const FileDescriptor file(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!file || ::fsync(file.get()) != 0) return os_error("cannot make " + directory.string() + " durable", errno);
    return {};
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

}  // namespace

Status make_directories(const std::string& path, Readers readers) {
    const fs::path directory(path);
    std::error_code failed;
    if (directory.empty() || fs::is_directory(directory, failed)) return {};
    if (auto made = make_directories(directory.parent_path(), readers); !made) return made;
    if (::mkdir(directory.c_str(), directory_mode(readers)) != 0 && errno != EEXIST) {
        return os_error("cannot create the directory " + directory.string(), errno);
    }
    fs::permissions(directory, fs::perms(directory_mode(readers)), failed);
    return make_durable(directory.parent_path());
}

Result<std::unique_ptr<Source>> read_local_file(const std::string& path) {
    FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return os_error("cannot read " + path, errno);
    return std::unique_ptr<Source>(std::make_unique<FileSource>(std::move(file), path));
}

Result<std::unique_ptr<Sink>> create_local_file(const std::string& path, Existing existing, Readers readers) {
    if (existing == Existing::refused && ::access(path.c_str(), F_OK) == 0) {
        return Error{ErrorKind::conflict, path + " exists, and nothing of a backup is overwritten", "", ""};
    }
    if (auto made = make_directories(fs::path(path).parent_path(), readers); !made) return made.error();
    const std::string unfinished = path + std::string(kUnfinished);
    FileDescriptor file(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, file_mode(readers)));
    if (!file) return os_error("cannot create " + path, errno);
    return std::unique_ptr<Sink>(std::make_unique<FileSink>(std::move(file), path));
}

}  // namespace boathouse::backup
