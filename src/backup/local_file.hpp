// Files of this machine on their way into a backup and out of it.
//
// A new file is written under another name (*.unfinished), made durable and renamed, so that a process that is killed,
// or a disk that is full, leaves what was there before. Files are private, unless it is said otherwise. Blocking.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "backup/bytes.hpp"
#include "base/error.hpp"

namespace boathouse::backup {

// The end of a name that does not count yet.
inline constexpr std::string_view kUnfinished = ".unfinished";

// Who may read what is made: the box's user alone (0600, directories 0700), or who reads a lake directly (0644, 0755).
enum class Readers { owner, everyone };

// Those that are missing on the way, each durable in its parent.
Status make_directories(const std::string& directory, Readers readers);

// Errors: not_found, permission.
Result<std::unique_ptr<Source>> read_local_file(const std::string& path);

// It counts once it is finished; what was there is replaced only by a caller that says so. Errors: conflict, limit.
enum class Existing { refused, replaced };
Result<std::unique_ptr<Sink>> create_local_file(const std::string& path, Existing existing,
                                                Readers readers = Readers::owner);

}  // namespace boathouse::backup
