#include "supervisor/memory.hpp"

#include <algorithm>
#include <fstream>
#include <optional>

namespace boathouse::supervisor {
namespace {

constexpr std::int64_t kAssumedMb = 1024;  // where /proc says nothing

// MemTotal of /proc/meminfo, in kB (proc(5)).
std::optional<std::int64_t> machine_mb(const std::string& root) {
    std::ifstream file(root + "/proc/meminfo");
    std::string key;
    std::int64_t kilobytes = 0;
    std::string rest;
    while (file >> key >> kilobytes && std::getline(file, rest)) {
        if (key == "MemTotal:") return kilobytes / 1024;
    }
    return std::nullopt;
}

// A limit in bytes; "max" and version 1's huge numbers for "none" are cut by the machine's memory.
std::optional<std::int64_t> limit_mb(const std::string& path) {
    std::ifstream file(path);
    std::int64_t bytes = 0;
    if (!(file >> bytes)) return std::nullopt;
    return bytes / (1024 * 1024);
}

}  // namespace

std::int64_t memory_mb(const std::string& root) {
    std::int64_t least = machine_mb(root).value_or(kAssumedMb);
    // Inside a container the own cgroup is mounted at the root: version 2, then version 1.
    for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
        const auto limit = limit_mb(root + path);
        if (limit) least = std::min(least, *limit);
    }
    return std::max<std::int64_t>(least, 64);
}

}  // namespace boathouse::supervisor
