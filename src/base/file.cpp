#include "base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace boathouse {
namespace {

ErrorKind kind_of(int error_number) {
    switch (error_number) {
        case EACCES:
        case EPERM:
        case EROFS:
            return ErrorKind::permission;
        case ENOENT:
        case ENOTDIR:
            return ErrorKind::not_found;
        case ENOSPC:
        case EDQUOT:
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case EAGAIN:
            return ErrorKind::limit;
        default:
            return ErrorKind::internal;
    }
}

bool write_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

void sync_directory(const std::string& path) {
    const FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory) (void)::fsync(directory.get());
}

}  // namespace

void FileDescriptor::close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
}

Error os_error(std::string_view what_failed, int error_number) {
    return Error{.kind = kind_of(error_number),
                 .message = std::string(what_failed) + ": " + std::generic_category().message(error_number)};
}

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return os_error("cannot read " + path, errno);
    std::string contents;
    char buffer[16384];
    for (;;) {
        const ssize_t count = ::read(file.get(), buffer, sizeof(buffer));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return os_error("cannot read " + path, errno);
        if (count == 0) return contents;
        contents.append(buffer, static_cast<std::size_t>(count));
        if (contents.size() > bytes_max) {
            return Error{.kind = ErrorKind::limit,
                         .message = path + " is larger than " + std::to_string(bytes_max) + " bytes"};
        }
    }
}

Status write_file(const std::string& path, std::string_view contents, mode_t mode) {
    const std::string fresh = path + ".new";
    (void)::unlink(fresh.c_str());  // of a writer that was killed
    FileDescriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (!file) return os_error("cannot write " + path, errno);
    const bool whole = ::fchmod(file.get(), mode) == 0 && write_all(file.get(), contents) && ::fsync(file.get()) == 0 &&
                       ::rename(fresh.c_str(), path.c_str()) == 0;
    if (!whole) {
        const Error error = os_error("cannot write " + path, errno);
        (void)::unlink(fresh.c_str());
        return error;
    }
    sync_directory(std::filesystem::path(path).parent_path().string());
    return {};
}

}  // namespace boathouse
