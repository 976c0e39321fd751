#include "supervisor/cluster.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/file.hpp"
#include "base/log.hpp"

namespace boathouse::supervisor {
namespace {

namespace fs = std::filesystem;

std::string unfinished(const std::string& pgdata) {
    return pgdata + ".new";
}

// /proc/<pid> of a PostgreSQL whose working directory is one of the two: each of its processes goes there first thing.
bool works_in(const fs::path& process, const std::string& pgdata) {
    std::error_code failed;
    std::string directory = fs::read_symlink(process / "cwd", failed).string();
    if (failed) return false;
    constexpr std::string_view kDeleted = " (deleted)";
    if (directory.ends_with(kDeleted)) directory.resize(directory.size() - kDeleted.size());
    if (directory != pgdata && directory != unfinished(pgdata)) return false;
    std::ifstream file(process / "comm");
    std::string name;
    std::getline(file, name);
    return name == "postgres" || name == "initdb";
}

std::vector<pid_t> processes_in(const std::string& pgdata) {
    std::error_code ignored;
    const fs::path place(pgdata);
    const std::string real = (fs::canonical(place.parent_path(), ignored) / place.filename()).string();
    std::vector<pid_t> pids;
    for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
        const std::string name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        if (works_in(entry.path(), real)) pids.push_back(static_cast<pid_t>(std::stol(name)));
    }
    return pids;
}

void signal_all(const std::vector<pid_t>& pids, int signal) {
    for (const pid_t pid : pids) ::kill(pid, signal);
}

constexpr auto kQuitPatience = std::chrono::seconds(10);
constexpr auto kKillPatience = std::chrono::seconds(15);  // altogether

}  // namespace

Status end_processes_in_cluster(const std::string& pgdata) {
    const auto start = std::chrono::steady_clock::now();
    auto pids = processes_in(pgdata);
    if (pids.empty()) return {};
    log_info("supervisor", "ending {} PostgreSQL process(es) that an earlier postmaster left behind", pids.size());
    signal_all(pids, SIGQUIT);  // immediate shutdown, to a postmaster as to a backend that lost its own
    bool killed = false;
    while (!(pids = processes_in(pgdata)).empty()) {
        const auto waited = std::chrono::steady_clock::now() - start;
        if (waited > kKillPatience) {
            std::string text;
            for (const pid_t pid : pids) text += (text.empty() ? "" : ", ") + std::to_string(pid);
            return Error{.kind = ErrorKind::conflict,
                         .message = "PostgreSQL processes of an earlier box still work in " + pgdata + ": " + text,
                         .hint = "end them (kill " + text + ") and start again"};
        }
        if (waited > kQuitPatience && !killed) {
            signal_all(pids, SIGKILL);
            killed = true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return {};
}

Status clear_remains(const std::string& pgdata, const std::string& socket_dir) {
    std::error_code failed;
    fs::remove_all(unfinished(pgdata), failed);
    if (failed) return os_error("cannot remove the unfinished cluster " + unfinished(pgdata), failed.value());
    std::vector<fs::path> remains = {pgdata + "/postmaster.pid"};
    for (const auto& entry : fs::directory_iterator(socket_dir, failed)) {
        if (entry.path().filename().string().starts_with(".s.PGSQL.")) remains.push_back(entry.path());
    }
    for (const auto& file : remains) {
        fs::remove(file, failed);
        if (failed) return os_error("cannot remove the stale " + file.string(), failed.value());
    }
    return {};
}

ChildOptions initdb_options(const PostgresInstallation& postgres, const std::string& pgdata) {
    std::vector<std::string> arguments = {"--pgdata=" + unfinished(pgdata),
                                          "--username=boathouse",
                                          "--encoding=UTF8",
                                          "--locale=C.UTF-8",
                                          "--lc-messages=C",
                                          "--data-checksums",
                                          "--auth-local=peer",
                                          "--auth-host=scram-sha-256",
                                          "--no-instructions"};
    return ChildOptions{
        .program = postgres.bin_dir + "/initdb",
        .arguments = std::move(arguments),
        .environment = {{"PATH", postgres.bin_dir + ":/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}, {"TZ", "UTC"}},
        .working_directory = fs::path(pgdata).parent_path().string(),
        .death_signal = SIGKILL};
}

Status configure_new_cluster(const std::string& pgdata) {
    const std::string path = unfinished(pgdata) + "/postgresql.conf";
    auto settings = read_file(path);
    if (!settings) return settings.error();
    *settings +=
        "\n# Boathouse writes boathouse.conf at each start. Your own settings go into local.conf, which comes last.\n"
        "include 'boathouse.conf'\n"
        "include_if_exists 'local.conf'\n";
    if (auto written = write_file(path, *settings, 0600); !written) return written;
    return write_file(unfinished(pgdata) + "/local.conf", "# Your own PostgreSQL settings.\n", 0600);
}

Status adopt_new_cluster(const std::string& pgdata) {
    if (auto configured = configure_new_cluster(pgdata); !configured) return configured;
    // initdb has made the cluster's files durable; the rename is made durable with the directory that holds it.
    if (std::rename(unfinished(pgdata).c_str(), pgdata.c_str()) != 0) {
        return os_error("cannot rename " + unfinished(pgdata) + " to " + pgdata, errno);
    }
    const FileDescriptor parent(::open(fs::path(pgdata).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent || ::fsync(parent.get()) != 0) return os_error("cannot make " + pgdata + " durable", errno);
    return {};
}

std::string postmaster_status(const std::string& pgdata, pid_t postmaster) {
    // Line 1 is the process id, line 8 the status (PostgreSQL's src/include/utils/pidfile.h), padded with blanks.
    std::ifstream file(pgdata + "/postmaster.pid");
    std::string line;
    if (!std::getline(file, line) || line != std::to_string(postmaster)) return "";
    for (int number = 2; number <= 8; ++number) {
        if (!std::getline(file, line)) return "";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

}  // namespace boathouse::supervisor
