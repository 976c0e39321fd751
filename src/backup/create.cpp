#include "backup/create.hpp"

#include <unistd.h>

#include "backup/box.hpp"
#include "backup/copy_data.hpp"
#include "backup/pipe_program.hpp"
#include "backup/sealed.hpp"
#include "catalog/bootstrap.hpp"
#include "catalog/box_database.hpp"
#include "catalog/connection.hpp"
#include "keeper/file_hold.hpp"

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

// The data files, twice: before the catalog's backup, and what has come meanwhile after it. Between the two nothing
// that was copied needs to be there any more, and nothing that was not is deleted by the keeper.
class DataPart {
  public:
    static Result<std::unique_ptr<DataPart>> begin(const Store& store, const config::Settings& settings,
                                                   catalog::Connection& lake, const std::string& data_path) {
        const auto endpoint = catalog::box_database_endpoint(settings);
        if (!endpoint) return endpoint.error();
        auto box = catalog::Connection::open(*endpoint);
        if (!box) return box.error();
        if (auto held = keeper::hold_files(*box); !held) return held.error();
        auto copier = DataCopier::open(store, settings, data_path);
        if (!copier) return copier.error();
        std::unique_ptr<DataPart> part(new DataPart(std::move(*box), lake, std::move(*copier)));
        if (auto copied = part->copy_files(DataCopier::Gone::allowed); !copied) return copied.error();
        return part;
    }

    // Files that no snapshot refers to any more are of use for moments before this backup.
    Status copy_files(DataCopier::Gone gone) {
        auto files = read_data_files(lake_);
        if (!files) return files.error();
        const auto superseded = read_superseded_files(lake_);
        if (!superseded) return superseded.error();
        files->insert(files->end(), superseded->begin(), superseded->end());
        return copier_->copy_files(*files, gone);
    }

    Result<ManifestData> list(const Store& store, const std::string& directory, const Secret& key) const {
        auto list = write_copies(store, directory, key, copier_->copies());
        if (!list) return list.error();
        return ManifestData{static_cast<long long>(copier_->copies().size()), copier_->bytes(), copier_->new_bytes(),
                            std::move(*list)};
    }
    long long elsewhere() const { return copier_->elsewhere(); }

  private:
    DataPart(catalog::Connection box, catalog::Connection& lake, std::unique_ptr<DataCopier> copier)
        : box_(std::move(box)), lake_(lake), copier_(std::move(copier)) {}

    catalog::Connection box_;  // holds the files
    catalog::Connection& lake_;
    std::unique_ptr<DataCopier> copier_;
};

Status check_place(const Store& store, const config::Settings& settings, const Manifest& manifest) {
    if ((settings.backup_to + "/").starts_with(manifest.data_path)) {
        return Error{ErrorKind::configuration, settings.backup_to + " lies among the lake's files",
                     "Name another place with --backup-to: files that the lake does not know are removed there.", ""};
    }
    const auto taken = store.has(manifest_name(manifest.id));
    if (!taken) return taken.error();
    if (*taken) return Error{ErrorKind::conflict, "a backup has begun within this second", "Wait for a moment.", ""};
    return {};
}

// The store, ready to be written to.
Result<std::unique_ptr<Store>> claimed_store(const config::Settings& settings) {
    auto store = make_store(settings);
    if (!store) return store;
    const auto box = box_identity(settings);
    if (!box) return box.error();
    if (auto claimed = claim_store(**store, *box); !claimed) return claimed.error();
    if (auto cleared = remove_halves(**store); !cleared) return cleared.error();
    return store;
}

Status copy_all(const Store& store, const CreateOptions& options, const catalog::Endpoint& endpoint,
                Connections& connections, Created& created) {
    const config::Settings& settings = options.settings;
    Manifest& manifest = created.manifest;
    const std::string directory = base_directory(manifest.id);
    auto data = options.with_data ? DataPart::begin(store, settings, connections.lake, manifest.data_path)
                                  : Result<std::unique_ptr<DataPart>>(nullptr);
    if (!data) return data.error();
    auto status = copy_catalog(store, settings, command_line(settings, endpoint, options.bin_dir), directory, manifest);
    if (status) status = note_end(connections, manifest);
    if (status && *data) status = (*data)->copy_files(DataCopier::Gone::refused);
    if (!status || !*data) return status;
    auto part = (*data)->list(store, directory, settings.backup_key);
    if (!part) return part.error();
    manifest.data = std::move(*part);
    created.elsewhere = (*data)->elsewhere();
    return {};
}

}  // namespace

Result<Created> create_backup(const CreateOptions& options) {
    const config::Settings& settings = options.settings;
    const auto lock = BackupLock::acquire(settings);
    if (!lock) return lock.error();
    const auto store = claimed_store(settings);
    if (!store) return store.error();
    const auto endpoint = catalog::box_endpoint(settings);
    if (!endpoint) return endpoint.error();
    auto connections = connect(*endpoint, settings);
    if (!connections) return connections.error();
    if (auto held = hold_log(connections->server); !held) return held.error();
    Created created;
    Manifest& manifest = created.manifest;
    if (auto noted = note_beginning(*connections, settings, manifest); !noted) return noted.error();
    if (auto checked = check_place(**store, settings, manifest); !checked) return checked.error();
    auto status = copy_all(**store, options, *endpoint, *connections, created);
    if (status) status = (*store)->write_text(manifest_name(manifest.id), to_json(manifest));
    if (status) return created;
    (void)(*store)->remove(base_directory(manifest.id));  // else the next backup does
    return status.error();
}

}  // namespace boathouse::backup
