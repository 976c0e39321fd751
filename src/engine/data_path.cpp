#include "engine/data_path.hpp"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

namespace boathouse::engine {
namespace {

constexpr std::string_view kProbeText = "boathouse data path probe\n";

class FileDescriptor {
  public:
    explicit FileDescriptor(int number) : number_(number) {}
    FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    ~FileDescriptor() {
        if (number_ >= 0) ::close(number_);
    }
    int number() const { return number_; }

  private:
    int number_;
};

Error refused(const std::string& what, const std::string& path, int error) {
    const std::string message = fmt::format("the data path {} {}: {}", path, what, std::strerror(error));
    switch (error) {
        case ENOSPC:
        case EDQUOT:
            return {ErrorKind::limit, message, "Free space on that file system, or set DATA_PATH to one that has some.",
                    ""};
        case EROFS:
            return {ErrorKind::permission, message,
                    "The file system is mounted read-only: mount it writable, or set DATA_PATH elsewhere.", ""};
        case EACCES:
        case EPERM:
            return {ErrorKind::permission, message,
                    fmt::format(
                        "The box runs as user id {}: give that user the directory (chown) or set DATA_PATH elsewhere.",
                        ::geteuid()),
                    ""};
        case ENOTDIR:
        case EEXIST:
            return {ErrorKind::configuration, message,
                    "Something that is not a directory stands in the way; set DATA_PATH to a directory.", ""};
        default:
            return {ErrorKind::permission, message,
                    "Check the directory and the disk it is on, or set DATA_PATH elsewhere.", ""};
    }
}

// A file without a name: nothing is left behind, however this process ends. Where the file system has no such files
// (NFS, old overlay drivers), one that loses its name at once.
FileDescriptor open_unnamed(const std::string& directory) {
    const int number = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (number >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) return FileDescriptor(number);
    std::string name = directory + ".boathouse-probe-XXXXXX";
    FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
    if (file.number() >= 0) ::unlink(name.c_str());
    return file;
}

}  // namespace

bool is_object_store(const std::string& data_path) {
    return data_path.find("://") != std::string::npos;
}

std::string normalized_data_path(const std::string& data_path) {
    std::string path =
        is_object_store(data_path) ? data_path : std::filesystem::path(data_path).lexically_normal().string();
    if (!path.ends_with('/')) path += '/';
    return path;
}

Status check_same_data_path(const std::string& stored, const std::string& configured) {
    if (normalized_data_path(stored) == normalized_data_path(configured)) return {};
    std::error_code ignored;
    if (!is_object_store(stored) && !is_object_store(configured) &&
        std::filesystem::equivalent(stored, configured, ignored)) {
        return {};  // two names of one directory
    }
    return Error{
        ErrorKind::configuration,
        fmt::format("the lake's data path is {} in the catalog, but {} in the settings", stored, configured),
        fmt::format("To use the lake as it is, set DATA_PATH={0}. If you moved its files to {1}, tell the catalog: "
                    "UPDATE ducklake_metadata SET value = '{1}' WHERE key = 'data_path' AND scope IS NULL. For a "
                    "new lake, use another data directory or another POSTGRES_DB.",
                    stored, configured),
        ""};
}

Status create_local_directory(const std::string& data_path) {
    std::error_code failure;
    std::filesystem::create_directories(data_path, failure);
    if (failure) return refused("cannot be created", data_path, failure.value());
    return {};
}

Status check_local_directory(const std::string& data_path) {
    const std::string path = normalized_data_path(data_path);
    std::error_code failure;
    if (!std::filesystem::exists(path, failure) && !failure) {
        return Error{
            ErrorKind::not_found, fmt::format("the data path {} does not exist on this machine", path),
            "Clients that attach the catalog read the lake's files themselves. Where the files lie on the box's "
            "own disk, run the client on that machine, or use the SQL door, or keep the lake on S3.",
            ""};
    }
    const FileDescriptor file = open_unnamed(path);
    if (file.number() < 0) return refused("cannot be written", path, errno);
    if (::write(file.number(), kProbeText.data(), kProbeText.size()) != static_cast<ssize_t>(kProbeText.size()) ||
        ::fsync(file.number()) != 0) {
        return refused("cannot be written", path, errno);
    }
    std::array<char, kProbeText.size()> read_back{};
    if (::pread(file.number(), read_back.data(), read_back.size(), 0) != static_cast<ssize_t>(read_back.size())) {
        return refused("cannot be read", path, errno);
    }
    if (std::string_view(read_back.data(), read_back.size()) != kProbeText) {
        return Error{ErrorKind::corrupt, fmt::format("the data path {} gives back other bytes than were written", path),
                     "The disk or its file system is damaged: look at the kernel's log.", ""};
    }
    std::filesystem::directory_iterator entries(path, failure);
    if (failure) return refused("cannot be listed", path, failure.value());
    return {};
}

}  // namespace boathouse::engine
