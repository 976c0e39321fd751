// The lock that keeps two boxes off one data directory: flock on <data_dir>/run/boathouse.lock.
//
// The kernel drops it when the supervisor dies, however it dies, so a lock is never stale; children do not inherit it.
// The file holds the holder's process id, for the message alone. Owned by the supervisor until it exits.
#pragma once

#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "supervisor/box_user.hpp"

namespace boathouse::supervisor {

class DataLock {
  public:
    // The file becomes `user`'s. Errors: conflict (names the process that holds it), permission, limit.
    static Result<DataLock> acquire(const std::string& run_dir, const BoxUser& user);

    // Whether a box holds the lock now. not_found where none has ever run, permission when run_dir is another user's.
    static Result<bool> is_held(const std::string& run_dir);

  private:
    explicit DataLock(FileDescriptor file) : file_(std::move(file)) {}
    FileDescriptor file_;
};

}  // namespace boathouse::supervisor
