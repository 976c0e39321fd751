// The box whose backups are made: its name among boxes, and the lock that keeps two backups of it apart.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/file.hpp"
#include "config/settings.hpp"

namespace boathouse::backup {

// A random text, made once and kept in <data_dir>/secrets/box_id; a restored box gets another. Errors: permission,
// limit.
Result<std::string> box_identity(const config::Settings& settings);

// Held while a backup is made or removed; the kernel drops it with the process. Errors: conflict (another one is at
// it).
class BackupLock {
  public:
    static Result<BackupLock> acquire(const config::Settings& settings);

  private:
    explicit BackupLock(FileDescriptor file) : file_(std::move(file)) {}
    FileDescriptor file_;
};

}  // namespace boathouse::backup
