#include "backup/recovery.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "backup/pipe_program.hpp"
#include "base/file.hpp"
#include "catalog/connection.hpp"
#include "supervisor/child.hpp"
#include "supervisor/cluster.hpp"
#include "supervisor/postgres_config.hpp"

namespace boathouse::backup {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLookInterval{20};
constexpr std::size_t kLogBytesMax = std::size_t{4} << 20;

std::string unfinished_cluster(const config::Settings& settings) {
    return config::postgres_dir(settings) + ".new";
}

std::string log_file(const config::Settings& settings) {
    return config::log_dir(settings) + "/recovery.log";
}

class TarInput final : public Sink {
  public:
    explicit TarInput(PipeProgram& program) : program_(program) {}
    Status write(std::string_view bytes) override { return program_.write(bytes); }
    Status finish() override { return program_.finish(); }

  private:
    PipeProgram& program_;
};

Status unpack(const Store& store, const Manifest& manifest, const Secret& key, const std::string& pgdata) {
    if (::mkdir(pgdata.c_str(), 0700) != 0) return os_error("cannot create " + pgdata, errno);
    auto source = open_object(store, base_directory(manifest.id) + "/" + manifest.base.name, key);
    if (!source) return source.error();
    auto tar =
        PipeProgram::start({"tar", "--extract", "--file=-", "--directory=" + pgdata}, PipeProgram::Direction::write_to);
    if (!tar) return tar.error();
    TarInput input(**tar);
    const auto copied = copy(**source, input);
    if (copied) return input.finish();
    // What tar stumbles over may be a damaged file, which shows when it is read to its end.
    const auto rest = digest_of(**source);
    return rest ? copied.error() : rest.error();
}

// The clusters' own files name users, ports and certificates of the box that was: written anew.
Status configure(const RecoveryOptions& options, const std::string& pgdata) {
    constexpr std::int64_t kConnections = 20;
    constexpr std::int64_t kMemoryMb = 1024;
    auto written =
        supervisor::write_postgres_config(pgdata, {.listen = "",
                                                   .port = options.settings.catalog_port,
                                                   .socket_dir = catalog::socket_dir(options.settings),
                                                   .connections_max = kConnections,
                                                   .memory_mb = kMemoryMb,
                                                   .tls = "off",
                                                   .tls_cert_file = "",
                                                   .tls_key_file = "",
                                                   .mirror_database = catalog::mirror_database(options.settings),
                                                   .os_user = options.os_user});
    if (!written) return written;
    return write_file(pgdata + "/recovery.signal", "", 0600);
}

// https://www.postgresql.org/docs/current/runtime-config-wal.html#RUNTIME-CONFIG-WAL-RECOVERY-TARGET. Given on the
// command line they count before every file, an operator's local.conf among them, and are gone with this process.
std::vector<std::string> arguments(const RecoveryOptions& options, const std::string& pgdata) {
    std::vector<std::string> settings{"archive_mode=off", "hot_standby=off", "recovery_target_action=promote",
                                      "listen_addresses=", "restore_command=" + options.restore_command};
    switch (options.target.kind) {
        case RecoveryTarget::Kind::backup:
            settings.emplace_back("recovery_target=immediate");
            break;
        case RecoveryTarget::Kind::time:
            settings.push_back("recovery_target_time=" + options.target.value);
            break;
        case RecoveryTarget::Kind::transaction:
            settings.push_back("recovery_target_xid=" + options.target.value);
            break;
        case RecoveryTarget::Kind::end:
            break;
    }
    std::vector<std::string> out{"-D", pgdata};
    for (const std::string& setting : settings) {
        out.emplace_back("-c");
        out.push_back(setting);
    }
    return out;
}

Result<pid_t> start(const RecoveryOptions& options, const std::string& pgdata) {
    const FileDescriptor log(
        ::open(log_file(options.settings).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!log) return os_error("cannot write " + log_file(options.settings), errno);
    return supervisor::start_child(
        {.program = options.bin_dir + "/postgres",
         .arguments = arguments(options, pgdata),
         .environment = {{"PATH", options.bin_dir + ":/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}, {"TZ", "UTC"}},
         .working_directory = options.settings.data_dir,
         .death_signal = SIGQUIT,
         .stderr_fd = log.get()});
}

// The last line of PostgreSQL's log at this severity, without what is before its message.
std::string last_line(const std::string& log, const std::string& severity) {
    const auto at = log.rfind(severity + ":  ");
    if (at == std::string::npos) return "";
    const auto begin = at + severity.size() + 3;
    return log.substr(begin, log.find('\n', begin) - begin);
}

Error failure(const std::string& path) {
    const auto log = read_file(path, kLogBytesMax);
    const std::string text = log ? *log : "";
    const std::string fatal = last_line(text, "FATAL");
    if (fatal.find("recovery ended before configured recovery target was reached") != std::string::npos) {
        return {ErrorKind::not_found, "the archived log ends before the moment that is to be restored", "", ""};
    }
    // What `backup fetch-wal` said of a piece of the log that it could not give.
    constexpr std::string_view kOwn = "\nboathouse: ";
    if (const auto at = text.rfind(kOwn); at != std::string::npos) {
        const auto begin = at + kOwn.size();
        return {ErrorKind::corrupt, text.substr(begin, text.find('\n', begin) - begin),
                "Bring that file back from another copy, or restore to a moment before it.", ""};
    }
    const bool is_full = text.find("No space left on device") != std::string::npos;
    const std::string panic = last_line(text, "PANIC");
    return {is_full ? ErrorKind::limit : ErrorKind::corrupt,
            "PostgreSQL could not recover the catalog: " + (panic.empty() ? fatal : panic),
            is_full ? "Free space, or restore into a directory on another disk." : "Restore another backup.", ""};
}

}  // namespace

RecoveredCluster::~RecoveredCluster() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGQUIT);
    ::waitpid(pid_, nullptr, 0);
}

Status RecoveredCluster::wait_until_ready(const std::string& log_file) {
    while (supervisor::postmaster_status(pgdata_, pid_) != "ready") {
        if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
            pid_ = 0;
            return failure(log_file);
        }
        std::this_thread::sleep_for(kLookInterval);
    }
    return {};
}

Status RecoveredCluster::adopt() {
    ::kill(pid_, SIGINT);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return Error{ErrorKind::unavailable, "PostgreSQL did not stop in order after the recovery", "", ""};
    }
    const std::string name = pgdata_.substr(0, pgdata_.rfind('.'));
    if (std::rename(pgdata_.c_str(), name.c_str()) != 0) return os_error("cannot rename " + pgdata_, errno);
    const FileDescriptor parent(::open(fs::path(name).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent || ::fsync(parent.get()) != 0) return os_error("cannot make " + name + " durable", errno);
    return {};
}

Result<std::unique_ptr<RecoveredCluster>> recover(const Store& store, const Manifest& manifest, const Secret& key,
                                                  const RecoveryOptions& options) {
    const std::string pgdata = unfinished_cluster(options.settings);
    if (auto unpacked = unpack(store, manifest, key, pgdata); !unpacked) return unpacked.error();
    if (auto configured = configure(options, pgdata); !configured) return configured.error();
    const auto pid = start(options, pgdata);
    if (!pid) return pid.error();
    std::unique_ptr<RecoveredCluster> cluster(new RecoveredCluster(pgdata, *pid));
    if (auto ready = cluster->wait_until_ready(log_file(options.settings)); !ready) return ready.error();
    std::error_code ignored;
    fs::remove(log_file(options.settings), ignored);
    return cluster;
}

}  // namespace boathouse::backup
