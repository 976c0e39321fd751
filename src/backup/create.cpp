#include "backup/create.hpp"

#include <unistd.h>

#include "backup/box.hpp"
#include "backup/pipe_program.hpp"
#include "backup/sealed.hpp"
#include "catalog/bootstrap.hpp"
#include "catalog/connection.hpp"

namespace boathouse::backup {
namespace {

// pg_basebackup's bounds of --max-rate, in kB a second.
constexpr std::int64_t kKilobytesAMegabyte = 1000;
constexpr const char* kNow =
    "SELECT extract(epoch FROM pg_catalog.clock_timestamp()),"
    " pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), pg_catalog.current_setting('archive_mode'),"
    " pg_catalog.current_setting('server_version')";

class Output final : public Source {
  public:
    explicit Output(PipeProgram& program) : program_(program) {}
    // The program's failure is the end's: half of a tar must not count as all of it.
    Result<std::size_t> read(char* buffer, std::size_t size) override {
        auto count = program_.read(buffer, size);
        if (!count) return count;
        if (*count == 0) {
            if (auto ended = program_.finish(); !ended) return ended.error();
        }
        bytes_ += static_cast<long long>(*count);
        return count;
    }
    long long bytes() const { return bytes_; }

  private:
    PipeProgram& program_;
    long long bytes_ = 0;
};

struct Moment {
    double unix_seconds = 0;
    std::string wal_segment{};
    bool archives = false;
    std::string version{};
};

Result<Moment> now(catalog::Connection& server) {
    const auto rows = server.query(kNow);
    if (!rows) return rows.error();
    const auto& row = rows->at(0);
    return Moment{std::stod(row.at(0).value_or("0")), row.at(1).value_or(""), row.at(2) == "on",
                  row.at(3).value_or("")};
}

// A slot that is gone with the connection keeps the log that the backup needs, however much is written meanwhile.
Status hold_log(catalog::Connection& server) {
    const std::string name = "boathouse_backup_" + std::to_string(::getpid());
    const auto made = server.query("SELECT pg_catalog.pg_create_physical_replication_slot($1, true, true)", {name});
    if (!made) return made.error();
    return {};
}

std::vector<std::string> command_line(const config::Settings& settings, const catalog::Endpoint& endpoint,
                                      const std::string& bin_dir) {
    std::vector<std::string> command{bin_dir + "/pg_basebackup",
                                     "--pgdata=-",
                                     "--format=tar",
                                     "--wal-method=fetch",
                                     "--checkpoint=fast",
                                     "--no-password",
                                     "--label=boathouse",
                                     "--host=" + endpoint.host,
                                     "--port=" + endpoint.port,
                                     "--username=" + endpoint.user};
    if (settings.backup_rate_mb > 0) {
        command.push_back("--max-rate=" + std::to_string(settings.backup_rate_mb * kKilobytesAMegabyte) + "k");
    }
    return command;
}

struct Connections {
    catalog::Connection server;  // the superuser's
    catalog::Connection lake;    // the engine's, who alone reads the lake's tables
};

Result<Connections> connect(const catalog::Endpoint& endpoint, const config::Settings& settings) {
    auto server = catalog::Connection::open(endpoint);
    if (!server) return server.error();
    const auto lake_endpoint = catalog::lake_endpoint(settings);
    if (!lake_endpoint) return lake_endpoint.error();
    auto lake = catalog::Connection::open(*lake_endpoint);
    if (!lake) return lake.error();
    return Connections{std::move(*server), std::move(*lake)};
}

Status note_beginning(Connections& connections, const config::Settings& settings, Manifest& manifest) {
    const auto moment = now(connections.server);
    if (!moment) return moment.error();
    const auto record = catalog::read_lake_record(connections.lake);
    if (!record) return record.error();
    manifest.id = id_of(moment->unix_seconds);
    manifest.started_unix = moment->unix_seconds;
    manifest.wal_first = moment->wal_segment;
    manifest.postgres_version = moment->version;
    manifest.postgres_major = connections.server.server_version() / 10000;
    manifest.postgres_user = settings.postgres_user;
    manifest.postgres_db = settings.postgres_db;
    manifest.snapshot_before = record->snapshot;
    manifest.data_path = record->data_path;
    manifest.key_id = key_id(settings.backup_key);
    return {};
}

// What lies in the log up to here is archived at once, so that the archive reaches beyond the backup.
Status note_end(Connections& connections, Manifest& manifest) {
    const auto moment = now(connections.server);
    if (!moment) return moment.error();
    const auto record = catalog::read_lake_record(connections.lake);
    if (!record) return record.error();
    manifest.finished_unix = moment->unix_seconds;
    manifest.wal_last = moment->wal_segment;
    manifest.snapshot_after = record->snapshot;
    if (!moment->archives) return {};
    const auto switched = connections.server.query("SELECT pg_catalog.pg_switch_wal()");
    if (!switched) return switched.error();
    return {};
}

Status copy_catalog(const Store& store, const config::Settings& settings, std::vector<std::string> command,
                    const std::string& directory, Manifest& manifest) {
    auto program = PipeProgram::start(std::move(command), PipeProgram::Direction::read_from);
    if (!program) return program.error();
    Output output(**program);
    auto stored = store_object(store, directory + "/base.tar", settings.backup_key, output);
    if (!stored) return stored.error();
    manifest.catalog_bytes = output.bytes();
    manifest.base = std::move(*stored);
    manifest.base.name = manifest.base.name.substr(directory.size() + 1);
    return {};
}

}  // namespace

Result<Manifest> create_backup(const config::Settings& settings, const std::string& bin_dir) {
    const auto lock = BackupLock::acquire(settings);
    if (!lock) return lock.error();
    const auto made = make_store(settings);
    if (!made) return made.error();
    const Store& store = **made;
    const auto box = box_identity(settings);
    if (!box) return box.error();
    if (auto claimed = claim_store(store, *box); !claimed) return claimed.error();
    if (auto cleared = remove_halves(store); !cleared) return cleared.error();

    const auto endpoint = catalog::box_endpoint(settings);
    if (!endpoint) return endpoint.error();
    auto connections = connect(*endpoint, settings);
    if (!connections) return connections.error();
    if (auto held = hold_log(connections->server); !held) return held.error();
    Manifest manifest;
    if (auto noted = note_beginning(*connections, settings, manifest); !noted) return noted.error();
    if ((settings.backup_to + "/").starts_with(manifest.data_path)) {
        return Error{ErrorKind::configuration, settings.backup_to + " lies among the lake's files",
                     "Name another place with --backup-to: files that the lake does not know are removed there.", ""};
    }
    const std::string directory = base_directory(manifest.id);
    const auto taken = store.has(manifest_name(manifest.id));
    if (!taken) return taken.error();
    if (*taken) return Error{ErrorKind::conflict, "a backup has begun within this second", "Wait for a moment.", ""};
    auto status = copy_catalog(store, settings, command_line(settings, *endpoint, bin_dir), directory, manifest);
    if (status) status = note_end(*connections, manifest);
    if (status) status = store.write_text(manifest_name(manifest.id), to_json(manifest));
    if (status) return manifest;
    (void)store.remove(directory);  // else the next backup does
    return status.error();
}

}  // namespace boathouse::backup
