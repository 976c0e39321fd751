#include "upgrade/private_postgres.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "base/file.hpp"
#include "supervisor/child.hpp"
#include "supervisor/cluster.hpp"
#include "supervisor/postgres_config.hpp"

namespace boathouse::upgrade {
namespace {

constexpr std::chrono::milliseconds kLookInterval{20};
constexpr std::size_t kLogBytesMax = std::size_t{4} << 20;

Status configure(const PrivatePostgres::Options& options) {
    constexpr std::int64_t kConnections = 20;
    constexpr std::int64_t kMemoryMb = 1024;
    return supervisor::write_postgres_config(options.pgdata,
                                             {.listen = "",
                                              .port = options.settings.catalog_port,
                                              .socket_dir = catalog::socket_dir(options.settings),
                                              .connections_max = kConnections,
                                              .memory_mb = kMemoryMb,
                                              .tls = "off",
                                              .tls_cert_file = "",
                                              .tls_key_file = "",
                                              .mirror_database = catalog::mirror_database(options.settings),
                                              .os_user = options.os_user});
}

// On the command line they count before every file, an operator's local.conf among them.
std::vector<std::string> arguments(const PrivatePostgres::Options& options) {
    std::vector<std::string> out{"-D", options.pgdata};
    // With the mode on and no command, pieces of the log are kept until there is one.
    for (const std::string& setting :
         {std::string("listen_addresses="), "port=" + std::to_string(options.port), std::string("autovacuum=off"),
          std::string("archive_mode=") + (options.keeps_log ? "on" : "off"), std::string("archive_command=")}) {
        out.emplace_back("-c");
        out.push_back(setting);
    }
    return out;
}

// The rest of the line behind `severity`, which is at `at`; empty where it is nowhere.
std::string line_behind(const std::string& log, std::string_view severity, std::size_t at) {
    if (at == std::string::npos) return "";
    const auto begin = at + severity.size();
    return log.substr(begin, log.find('\n', begin) - begin);
}

// Why PostgreSQL ended: its last words, or, where those are that a file contains errors, the first of the errors.
std::string last_words(const std::string& log_file) {
    const auto log = read_file(log_file, kLogBytesMax);
    if (!log) return "";
    for (const std::string_view severity : {"PANIC:  ", "FATAL:  "}) {
        std::string words = line_behind(*log, severity, log->rfind(severity));
        if (words.empty()) continue;
        constexpr std::string_view kError = "LOG:  ";
        if (words.ends_with("contains errors")) words = line_behind(*log, kError, log->find(kError));
        return ": " + words;
    }
    return "";
}

}  // namespace

Result<std::unique_ptr<PrivatePostgres>> PrivatePostgres::start(Options options) {
    if (auto configured = configure(options); !configured) return configured.error();
    const FileDescriptor log(::open(options.log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!log) return os_error("cannot write " + options.log_file, errno);
    const auto pid = supervisor::start_child(
        {.program = options.bin_dir + "/postgres",
         .arguments = arguments(options),
         .environment = {{"PATH", options.bin_dir + ":/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}, {"TZ", "UTC"}},
         .working_directory = options.settings.data_dir,
         .death_signal = SIGQUIT,
         .stderr_fd = log.get()});
    if (!pid) return pid.error();
    std::unique_ptr<PrivatePostgres> postgres(new PrivatePostgres(std::move(options), *pid));
    if (auto ready = postgres->wait_until_ready(); !ready) return ready.error();
    return postgres;
}

Status PrivatePostgres::wait_until_ready() {
    while (supervisor::postmaster_status(options_.pgdata, pid_) != "ready") {
        if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
            pid_ = 0;
            return Error{ErrorKind::unavailable,
                         "the PostgreSQL in " + options_.bin_dir + " did not start on " + options_.pgdata +
                             last_words(options_.log_file),
                         options_.log_file +
                             " has all that it said. Settings of your own are in the cluster's local.conf and "
                             "postgresql.auto.conf.",
                         ""};
        }
        std::this_thread::sleep_for(kLookInterval);
    }
    return {};
}

PrivatePostgres::~PrivatePostgres() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGQUIT);
    ::waitpid(pid_, nullptr, 0);
}

catalog::Endpoint PrivatePostgres::endpoint(const std::string& database) const {
    catalog::Endpoint endpoint;
    endpoint.host = catalog::socket_dir(options_.settings);
    endpoint.port = std::to_string(options_.port);
    endpoint.user = "boathouse";
    endpoint.database = database;
    return endpoint;
}

Status PrivatePostgres::stop() {
    ::kill(pid_, SIGINT);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return Error{ErrorKind::unavailable,
                 "the PostgreSQL on " + options_.pgdata + " did not stop in order" + last_words(options_.log_file),
                 options_.log_file + " has all that it said.", ""};
}

}  // namespace boathouse::upgrade
