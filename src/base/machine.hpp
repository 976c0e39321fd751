// How much of the machine this process may use: the container's limits (cgroup v2 or v1) where there are any, else the
// machine's own size.
//
// Pure readings of /proc and /sys, done once at start; `root` stands before those paths so that tests can lay out a
// machine of their own. Nothing fails: what cannot be read counts as no limit.
#pragma once

#include <cstdint>
#include <string>

namespace boathouse {

// Bytes of memory that this process may use: the least of the machine's memory and the limits of its cgroup and of
// every group above it. 0 when nothing of this can be read.
std::int64_t usable_memory_bytes(const std::string& root = "");

// Processors that this process may keep busy: the cores it may run on, or its cgroup's share, rounded up; at least 1.
int usable_processors(const std::string& root = "");

}  // namespace boathouse
