#include "supervisor/postgres_config.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "base/file.hpp"

namespace boathouse::supervisor {
namespace {

// A quoted value of postgresql.conf: ' and \ doubled.
std::string quoted(const std::string& value) {
    std::string text = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') text += c;
        text += c;
    }
    return text + "'";
}

// One element of a list-valued setting, in double quotes, so that a comma in a path stays part of it.
std::string list_element(const std::string& value) {
    std::string text = "\"";
    for (const char c : value) {
        if (c == '"') text += c;
        text += c;
    }
    return quoted(text + "\"");
}

std::string memory_settings(std::int64_t memory_mb) {
    // The engine has most of the machine's memory; a catalog of millions of files is still small.
    const auto shared_buffers = std::clamp<std::int64_t>(memory_mb / 16, 32, 1024);
    const auto maintenance = std::clamp<std::int64_t>(memory_mb / 32, 16, 256);
    return fmt::format(
        "\n# Sizes, from {} MB of memory that the catalog shares with the engine.\n"
        "shared_buffers = {}MB\n"
        "effective_cache_size = {}MB\n"
        "work_mem = {}MB\n"
        "maintenance_work_mem = {}MB\n",
        memory_mb, shared_buffers, std::max<std::int64_t>(memory_mb / 4, 64),
        std::clamp<std::int64_t>(memory_mb / 256, 4, 32), maintenance);
}

std::string tls_settings(const PostgresConfig& config) {
    if (config.tls == "off") return "\nssl = off\n";
    return fmt::format(
        "\nssl = on\n"
        "ssl_min_protocol_version = 'TLSv1.2'\n"
        "ssl_cert_file = {}\n"
        "ssl_key_file = {}\n",
        quoted(config.tls_cert_file), quoted(config.tls_key_file));
}

constexpr const char* kFixedSettings = R"(
# Direct clients decide by English words in an error whether to try a commit again.
lc_messages = 'C'
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'

# Many small commits: fewer checkpoints, and a vacuum that keeps up with the tables that grow by them.
max_wal_size = 2GB
min_wal_size = 128MB
checkpoint_timeout = 15min
wal_compression = on
random_page_cost = 1.1
autovacuum_naptime = 15s
autovacuum_vacuum_cost_limit = 1000
jit = off

# Parallel workers share memory through /dev/shm, of which a container has 64 MB.
max_parallel_workers_per_gather = 0
max_parallel_maintenance_workers = 0

# Notice clients that vanished, so that their transactions do not hold back the others.
tcp_keepalives_idle = 60
tcp_keepalives_interval = 10
tcp_keepalives_count = 6
client_connection_check_interval = 5s

# To the supervisor, which logs it. Never a statement: CREATE ROLE has a password in it.
logging_collector = off
log_destination = 'stderr'
log_line_prefix = '%q%u@%d '
log_min_error_statement = panic
log_statement = 'none'
log_min_duration_statement = -1
log_checkpoints = off
)";

// A piece of the log is finished when it is full, or a minute after something was written into it: so much is lost at
// most with the machine.
std::string archive_settings(const PostgresConfig& config) {
    if (config.archive_command.empty()) return "\narchive_mode = off\n";
    return fmt::format(
        "\narchive_mode = on\n"
        "archive_timeout = 60s\n"
        "archive_command = {}\n",
        quoted(config.archive_command));
}

}  // namespace

std::string boathouse_conf(const PostgresConfig& config) {
    return fmt::format(
               "# Written by Boathouse at each start; changes here are lost. Put your own into local.conf beside it.\n"
               "listen_addresses = {}\n"
               "port = {}\n"
               "max_connections = {}\n"
               "unix_socket_directories = {}\n"
               "unix_socket_permissions = 0700\n",
               quoted(config.listen), config.port, config.connections_max, list_element(config.socket_dir)) +
           memory_settings(config.memory_mb) + tls_settings(config) + archive_settings(config) + kFixedSettings;
}

std::string pg_hba_conf(const PostgresConfig& config) {
    const bool require = config.tls == "require";
    std::string text =
        "# Written by Boathouse at each start; changes here are lost.\n"
        "# The superuser and the engine come in by the private socket alone, as the box's user or root.\n"
        "local   all  boathouse,boathouse_engine,boathouse_mirror  peer map=boathouse\n"
        "local   replication  boathouse  peer map=boathouse\n"
        "host    all  boathouse,boathouse_engine,boathouse_mirror  all  reject\n"
        "# The mirror: as any role, for whoever may open the socket, whose directory only the box's user enters.\n" +
        fmt::format(
            "local   \"{0}\"  all  trust\n"
            "host    \"{0}\"  all  all  reject\n",
            config.mirror_database) +
        "local   all  all  scram-sha-256\n";
    if (require) text += "hostnossl all all all reject\n";
    return text + (require ? "hostssl" : "host") + " all  all  all  scram-sha-256\n";
}

std::string pg_ident_conf(const PostgresConfig& config) {
    return fmt::format(
        "# Written by Boathouse at each start; changes here are lost.\n"
        "boathouse  \"{0}\"  boathouse\n"
        "boathouse  \"{0}\"  boathouse_engine\n"
        "boathouse  \"{0}\"  boathouse_mirror\n"
        "boathouse  root  boathouse\n"
        "boathouse  root  boathouse_engine\n"
        "boathouse  root  boathouse_mirror\n",
        config.os_user);
}

Status write_postgres_config(const std::string& pgdata, const PostgresConfig& config) {
    for (const auto& [name, text] :
         {std::pair{"/boathouse.conf", boathouse_conf(config)}, std::pair{"/pg_hba.conf", pg_hba_conf(config)},
          std::pair{"/pg_ident.conf", pg_ident_conf(config)}}) {
        const auto written = write_file(pgdata + name, text, 0600);
        if (!written) return written.error();
    }
    return {};
}

}  // namespace boathouse::supervisor
