#include "supervisor/supervisor.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/log.hpp"
#include "base/machine.hpp"
#include "base/notify.hpp"
#include "catalog/connection.hpp"
#include "supervisor/box.hpp"
#include "supervisor/certificate.hpp"
#include "supervisor/cluster.hpp"
#include "supervisor/data_directory.hpp"
#include "supervisor/data_lock.hpp"
#include "supervisor/lake_access.hpp"
#include "supervisor/password.hpp"
#include "supervisor/ports.hpp"
#include "supervisor/wal_commands.hpp"

namespace boathouse::supervisor {
namespace {

namespace fs = std::filesystem;

// What PostgreSQL is sized for; a machine that does not say counts as a small one.
std::int64_t memory_mb() {
    constexpr std::int64_t kAssumedMb = 1024;
    const std::int64_t bytes = usable_memory_bytes();
    return bytes == 0 ? kAssumedMb : std::max<std::int64_t>(64, bytes >> 20);
}

CertificateFiles given_certificate(const config::Settings& settings) {
    return {.certificate = settings.tls_cert_file, .key = settings.tls_key_file};
}

CertificateFiles certificate_copy(const config::Settings& settings) {
    return {.certificate = config::tls_dir(settings) + "/given.crt", .key = config::tls_dir(settings) + "/given.key"};
}

CertificateFiles self_signed_certificate(const config::Settings& settings) {
    return {.certificate = config::tls_dir(settings) + "/self-signed.crt",
            .key = config::tls_dir(settings) + "/self-signed.key"};
}

bool has_given_certificate(const config::Settings& settings) {
    return settings.tls != "off" && !settings.tls_cert_file.empty();
}

// The PostgreSQL to run, of the version that the cluster needs, and runnable by the box's user.
Result<PostgresInstallation> choose_postgres(const config::Settings& settings, const BoxUser& user) {
    const auto major = cluster_major(config::postgres_dir(settings));
    if (!major) return major.error();
    const char* path = std::getenv("PATH");
    auto found = find_postgres({.pg_bin = settings.pg_bin, .path = path == nullptr ? "" : path, .major = *major});
    if (!found) return found;
    const std::string program = found->bin_dir + "/postgres";
    const auto runnable = ask_as(user, [&] { return ::access(program.c_str(), X_OK) == 0; });
    if (!runnable) return runnable.error();
    if (*runnable) return found;
    return Error{.kind = ErrorKind::configuration,
                 .message = "the box's user '" + user.name + "' cannot run " + program,
                 .hint = "open its directories to that user, or point --pg-bin at a PostgreSQL that it can run"};
}

// A directory for the sockets outside of run/, where that path is too long for a socket.
Status create_socket_dir(const std::string& directory, const BoxUser& user) {
    if (::mkdir(directory.c_str(), 0700) == 0) {
        if (::geteuid() == 0 && ::chown(directory.c_str(), user.uid, user.gid) != 0) {
            return os_error("cannot own " + directory, errno);
        }
        return {};
    }
    struct stat status {};
    if (errno != EEXIST || ::lstat(directory.c_str(), &status) != 0) {
        return os_error("cannot create the directory of the private socket, " + directory, errno);
    }
    if (S_ISDIR(status.st_mode) && status.st_uid == user.uid && (status.st_mode & 0077) == 0) return {};
    return Error{.kind = ErrorKind::conflict,
                 .message = directory + ", where the private socket belongs, is not a private directory of user '" +
                            user.name + "'",
                 .hint = "remove it; or use a --data-dir with a shorter path, and the socket is kept in there"};
}

// The local directory that holds the lake's files; one on S3 is the engine's to check.
Status prepare_lake_directory(const config::Settings& settings, const BoxUser& user) {
    const std::string directory = config::effective_data_path(settings);
    if (config::is_s3(directory)) return {};
    std::error_code failed;
    if (!fs::exists(directory, failed)) {
        fs::create_directories(directory, failed);
        if (failed) {
            Error error = os_error("cannot create the data path " + directory, failed.value());
            error.kind = ErrorKind::configuration;
            error.hint = "create it for user '" + user.name + "', or name another with --data-path";
            return error;
        }
        if (::geteuid() == 0 && ::chown(directory.c_str(), user.uid, user.gid) != 0) {
            return os_error("cannot give " + directory + " to " + user.name, errno);
        }
    }
    const auto granted = grant_default_access(directory, user);
    if (!granted) log_info("supervisor", "{}: {}", granted.error().message, granted.error().hint);
    return {};
}

Status check_doors(const config::Settings& settings) {
    std::vector<Door> doors = {{"SQL", "--sql-port", settings.sql_port}, {"HTTP", "--http-port", settings.http_port}};
    if (settings.catalog.empty()) doors.insert(doors.begin(), {"catalog", "--catalog-port", settings.catalog_port});
    return check_ports(settings.listen, doors);
}

PostgresConfig postgres_config(const config::Settings& settings, const BoxUser& user) {
    const auto certificate =
        has_given_certificate(settings) ? certificate_copy(settings) : self_signed_certificate(settings);
    return {.listen = settings.listen,
            .port = settings.catalog_port,
            .socket_dir = catalog::socket_dir(settings),
            .connections_max = settings.catalog_max_connections,
            .memory_mb = memory_mb(),
            .tls = settings.tls,
            .tls_cert_file = certificate.certificate,
            .tls_key_file = certificate.key,
            .mirror_database = catalog::mirror_database(settings),
            .os_user = user.name};
}

// What takes root, or must be known before it is given up. PostgreSQL's part of it only where the catalog is ours.
Status prepare_postgres(BoxPlan& plan) {
    const auto& settings = plan.loaded.settings;
    if (!settings.catalog.empty()) return {};
    if (auto ended = end_processes_in_cluster(config::postgres_dir(settings)); !ended) return ended;
    const auto postgres = choose_postgres(settings, plan.user);
    if (!postgres) return postgres.error();
    plan.postgres = *postgres;
    plan.postgres_config = postgres_config(settings, plan.user);
    if (settings.backup_to.empty()) return {};
    const auto program = prepare_own_program(settings, plan.user);
    if (!program) return program.error();
    plan.postgres_config.archive_command = archive_command(*program, config::backup_settings_file(settings));
    return {};
}

// The certificate that was given, read while root may; nothing where none was.
Result<std::optional<CertificatePair>> read_given_certificate(const config::Settings& settings) {
    if (!has_given_certificate(settings)) return std::optional<CertificatePair>();
    auto read = read_certificate(given_certificate(settings));
    if (!read) return read.error();
    return std::optional(std::move(*read));
}

// What PostgreSQL and the SQL door present, written as the box's user.
Status prepare_certificate(BoxPlan& plan, const std::optional<CertificatePair>& certificate) {
    const auto& settings = plan.loaded.settings;
    if (certificate) {
        if (auto written = write_certificate(certificate_copy(settings), *certificate); !written) return written;
        plan.renew_certificate = [settings]() -> Status {
            const auto read = read_certificate(given_certificate(settings));
            if (!read) return read.error();
            return write_certificate(certificate_copy(settings), *read);
        };
    } else if (settings.tls != "off") {
        char host[256] = "";
        (void)::gethostname(host, sizeof(host) - 1);
        const auto made = ensure_self_signed(self_signed_certificate(settings), {host, settings.listen});
        if (!made) return made.error();
    }
    return {};
}

// An external catalog has passwords of its own.
Status prepare_password(BoxPlan& plan) {
    auto& settings = plan.loaded.settings;
    if (!plan.postgres || !settings.postgres_password.empty()) return {};
    auto generated = generated_password(config::generated_password_file(settings));
    if (!generated) return generated.error();
    settings.postgres_password = generated->password;
    plan.password_is_generated = true;
    plan.password_is_new = generated->is_new;
    return {};
}

Status prepare(BoxPlan& plan, std::optional<DataLock>& lock) {
    auto& settings = plan.loaded.settings;
    ::umask(022);  // direct clients of other users read what the engine writes into lake/; secrets say their mode
    auto user = choose_box_user(settings.run_as);
    if (!user) return user.error();
    plan.user = std::move(*user);
    if (auto checked = check_data_directory(settings, plan.user); !checked) return checked;
    auto acquired = DataLock::acquire(config::run_dir(settings), plan.user);
    if (!acquired) return acquired.error();
    lock.emplace(std::move(*acquired));
    if (auto laid_out = lay_out_data_directory(settings, plan.user); !laid_out) return laid_out;
    const auto certificate = read_given_certificate(settings);
    if (!certificate) return certificate.error();
    if (auto prepared = prepare_postgres(plan); !prepared) return prepared;
    if (const auto sockets = catalog::socket_dir(settings); sockets != config::run_dir(settings)) {
        if (auto made = create_socket_dir(sockets, plan.user); !made) return made;
    }
    if (auto prepared = prepare_lake_directory(settings, plan.user); !prepared) return prepared;
    auto engine = prepare_engine_program(settings, plan.user);
    if (!engine) return engine.error();
    plan.engine = std::move(*engine);
    settings.extension_dir = plan.engine.extension_dir;
    if (auto checked = check_doors(settings); !checked) return checked;
    const auto keeps_fowner = become_keeping_fowner(plan.user);
    if (!keeps_fowner) return keeps_fowner.error();
    const std::string lake = config::effective_data_path(settings);
    if (*keeps_fowner && !config::is_s3(lake)) {
        auto access = LakeAccess::watch(lake);
        if (!access) return access.error();
        plan.lake_access.emplace(std::move(*access));
    }
    if (auto prepared = prepare_certificate(plan, *certificate); !prepared) return prepared;
    auto written = write_backup_settings(settings, config::backup_settings_file(settings));
    if (!written) return written;
    return prepare_password(plan);
}

int refuse(const Error& error) {
    log_error("supervisor", error);
    notify_service_manager("STATUS=" + error.message);
    return error.kind == ErrorKind::configuration ? kExitConfiguration : kExitFailed;
}

}  // namespace

int run(const config::Loaded& loaded) {
    auto events = Events::open();
    if (!events) return refuse(events.error());
    BoxPlan plan;
    plan.loaded = loaded;
    std::optional<DataLock> lock;
    const auto prepared = prepare(plan, lock);
    if (!prepared) return refuse(prepared.error());
    const SystemClock clock;
    Box box(std::move(plan), std::move(*events), clock);
    return box.run();
}

}  // namespace boathouse::supervisor
