#include "http/process_metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace boathouse::http {
namespace {

// Fields of /proc/self/stat behind the name in parentheses, so [0] is field 3 of proc(5).
std::vector<std::string> stat_fields() {
    std::ifstream file("/proc/self/stat");
    std::string line;
    std::getline(file, line);
    const auto name_end = line.rfind(')');
    std::vector<std::string> fields;
    if (name_end == std::string::npos) return fields;
    std::istringstream rest(line.substr(name_end + 1));
    for (std::string field; rest >> field;) fields.push_back(field);
    return fields;
}

double boot_time_seconds() {
    std::ifstream file("/proc/stat");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("btime ")) return std::stod(line.substr(6));
    }
    return 0;
}

}  // namespace

void add_process_metrics(Exposition& exposition) {
    const auto fields = stat_fields();
    if (fields.size() > 21) {
        const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
        exposition.counter("process_cpu_seconds_total", "User and system CPU time spent, in seconds.",
                           (std::stod(fields[11]) + std::stod(fields[12])) / ticks);
        exposition.gauge("process_threads", "Threads of the process.", std::stod(fields[17]));
        exposition.gauge("process_start_time_seconds", "Start of the process, in seconds since 1970.",
                         boot_time_seconds() + std::stod(fields[19]) / ticks);
        exposition.gauge("process_virtual_memory_bytes", "Virtual memory, in bytes.", std::stod(fields[20]));
        exposition.gauge("process_resident_memory_bytes", "Resident memory, in bytes.",
                         std::stod(fields[21]) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
    }
    std::error_code failure;
    const std::filesystem::directory_iterator descriptors("/proc/self/fd", failure);
    if (!failure) {
        exposition.gauge("process_open_fds", "Open file descriptors.",
                         static_cast<double>(std::distance(begin(descriptors), end(descriptors))));
    }
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        exposition.gauge("process_max_fds", "Largest number of open file descriptors allowed.",
                         static_cast<double>(limit.rlim_cur));
    }
}

}  // namespace boathouse::http
