// How much memory the box may use: the machine's, or the container's limit where that is less.
//
// Reads /proc and /sys/fs/cgroup; called at start.
#pragma once

#include <cstdint>
#include <string>

namespace boathouse::supervisor {

// In MB. `root` is prefixed to the paths that are read, for tests.
std::int64_t memory_mb(const std::string& root = "");

}  // namespace boathouse::supervisor
