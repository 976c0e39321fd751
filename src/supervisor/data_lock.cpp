#include "supervisor/data_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace boathouse::supervisor {
namespace {

std::string lock_path(const std::string& run_dir) {
    return run_dir + "/boathouse.lock";
}

Error held_by_another(const std::string& run_dir) {
    auto holder = read_file(lock_path(run_dir));
    std::string process = holder ? *holder : "";
    while (!process.empty() && process.back() == '\n') process.pop_back();
    return Error{.kind = ErrorKind::conflict,
                 .message = "another box runs on the data directory " +
                            std::filesystem::path(run_dir).parent_path().string() +
                            (process.empty() ? "" : " (process " + process + ")"),
                 .hint = "stop it first, or give this box its own --data-dir and ports"};
}

}  // namespace

Result<DataLock> DataLock::acquire(const std::string& run_dir, const BoxUser& user) {
    const std::string path = lock_path(run_dir);
    FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) return os_error("cannot open the lock " + path, errno);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return held_by_another(run_dir);
        return os_error("cannot lock " + path, errno);
    }
    if (::geteuid() == 0 && ::fchown(file.get(), user.uid, user.gid) != 0) return os_error("cannot own " + path, errno);
    // In place, not renamed: the lock is on this very file.
    const std::string holder = std::to_string(::getpid()) + "\n";
    if (::ftruncate(file.get(), 0) != 0 ||
        ::pwrite(file.get(), holder.data(), holder.size(), 0) != static_cast<ssize_t>(holder.size())) {
        return os_error("cannot write the lock " + path, errno);
    }
    return DataLock(std::move(file));
}

Result<bool> DataLock::is_held(const std::string& run_dir) {
    const std::string path = lock_path(run_dir);
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) return os_error("cannot open the lock " + path, errno);
    if (::flock(file.get(), LOCK_SH | LOCK_NB) == 0) return false;
    if (errno == EWOULDBLOCK) return true;
    return os_error("cannot test the lock " + path, errno);
}

}  // namespace boathouse::supervisor
