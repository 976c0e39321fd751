#include "base/machine.hpp"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

namespace boathouse {
namespace {

// Version 1 writes "no limit" as a page-aligned number near 2^63.
constexpr std::int64_t kNoLimit = std::int64_t{1} << 60;

std::optional<std::string> first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    return line;
}

std::optional<std::int64_t> number(const std::string& path) {
    const auto line = first_line(path);
    if (!line) return std::nullopt;
    try {
        return std::stoll(*line);
    } catch (const std::exception&) {
        return std::nullopt;  // "max"
    }
}

// The process's group in the hierarchy of a controller ("" is version 2's only hierarchy), from /proc/self/cgroup:
// lines of "id:controller,controller:/path".
std::optional<std::string> group_path(const std::string& root, const std::string& controller) {
    std::ifstream file(root + "/proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
        const bool matches =
            controller.empty() ? line.starts_with("0::") : names.find("," + controller + ",") != std::string::npos;
        if (matches) return line.substr(second + 1);
    }
    return std::nullopt;
}

// The group's directory and all above it. In a container the path may be the host's, which is not mounted here: then
// only the mount's top exists, and that is the container's own group.
std::vector<std::string> group_directories(const std::string& top, std::string path) {
    std::vector<std::string> directories{top};
    for (; path.size() > 1; path.resize(path.rfind('/'))) directories.push_back(top + path);
    return directories;
}

}  // namespace

std::int64_t usable_memory_bytes(const std::string& root) {
    std::int64_t least = kNoLimit;
    std::ifstream meminfo(root + "/proc/meminfo");
    for (std::string line; std::getline(meminfo, line);) {
        if (line.starts_with("MemTotal:")) least = std::stoll(line.substr(9)) * 1024;
    }
    const auto bound = [&least](const std::string& file) {
        const auto limit = number(file);
        if (limit && *limit > 0) least = std::min(least, *limit);
    };
    if (const auto path = group_path(root, "")) {
        for (const auto& directory : group_directories(root + "/sys/fs/cgroup", *path))
            bound(directory + "/memory.max");
    }
    if (const auto path = group_path(root, "memory")) {
        for (const auto& directory : group_directories(root + "/sys/fs/cgroup/memory", *path)) {
            bound(directory + "/memory.limit_in_bytes");
        }
    }
    return least == kNoLimit ? 0 : least;
}

int usable_processors(const std::string& root) {
    cpu_set_t set;
    double least = ::sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    if (const auto path = group_path(root, "")) {
        for (const auto& directory : group_directories(root + "/sys/fs/cgroup", *path)) {
            // cpu.max: "quota period" in microseconds, quota may be "max".
            std::istringstream line(first_line(directory + "/cpu.max").value_or(""));
            double quota = 0;
            double period = 0;
            if (line >> quota >> period && quota > 0 && period > 0) least = std::min(least, quota / period);
        }
    }
    if (const auto path = group_path(root, "cpu")) {
        for (const auto& directory : group_directories(root + "/sys/fs/cgroup/cpu", *path)) {
            const auto quota = number(directory + "/cpu.cfs_quota_us");
            const auto period = number(directory + "/cpu.cfs_period_us");
            if (quota && period && *quota > 0 && *period > 0) {
                least = std::min(least, static_cast<double>(*quota) / static_cast<double>(*period));
            }
        }
    }
    return std::max(1, static_cast<int>(std::ceil(least)));
}

}  // namespace boathouse
