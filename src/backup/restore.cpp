#include "backup/restore.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "backup/bring_data.hpp"
#include "backup/pipe_program.hpp"
#include "backup/target.hpp"
#include "backup/wal_archive.hpp"
#include "base/log.hpp"
#include "catalog/bootstrap.hpp"
#include "catalog/box_database.hpp"
#include "config/load.hpp"
#include "keeper/journal.hpp"
#include "keeper/policy.hpp"
#include "supervisor/box_user.hpp"
#include "supervisor/data_directory.hpp"
#include "supervisor/data_lock.hpp"
#include "supervisor/engine_program.hpp"
#include "supervisor/postgres_installation.hpp"
#include "supervisor/wal_commands.hpp"

namespace boathouse::backup {
namespace {

namespace fs = std::filesystem;

// A restore on the way: what it needs, and what it leaves where it fails.
struct Work {
    config::Settings settings;  // of the new data directory
    std::string bin_dir{};
    supervisor::BoxUser user{};
    supervisor::EngineProgram engine{};
    std::string program{};  // this one, as the box's user can run it
    std::optional<supervisor::DataLock> lock{};
    std::unique_ptr<DataBringer> data{};  // nothing: the files stay where they are
    bool is_done = false;

    explicit Work(config::Settings new_settings) : settings(std::move(new_settings)) {}
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;
    // The directory itself may lie in another user's.
    ~Work() {
        std::error_code ignored;
        if (const auto sockets = catalog::socket_dir(settings); sockets != config::run_dir(settings))
            ::rmdir(sockets.c_str());  // the box makes its own
        if (is_done) return;
        data.reset();
        for (const auto& entry : fs::directory_iterator(settings.data_dir, ignored)) fs::remove_all(entry, ignored);
    }
};

Status check_empty(const std::string& directory) {
    std::error_code failed;
    if (!fs::exists(directory, failed)) return {};
    if (!fs::is_directory(directory, failed) || !fs::is_empty(directory, failed) || failed) {
        return Error{ErrorKind::conflict, directory + " is there and not empty, and a restore overwrites nothing",
                     "Name a directory that does not exist with --into.", ""};
    }
    return {};
}

bool brings_data(const RestoreOptions& options, const Manifest& manifest) {
    return options.with_data.value_or(manifest.data.has_value());
}

// What the new box is to be, of what the old one was.
config::Settings new_settings(const RestoreOptions& options, const Manifest& manifest) {
    config::Settings settings = options.settings;
    settings.data_dir = options.into;
    settings.catalog = Secret();
    settings.postgres_user = manifest.postgres_user;
    settings.postgres_db = manifest.postgres_db;
    settings.backup_to.clear();
    settings.backup_key = Secret();
    if (brings_data(options, manifest)) {
        settings.data_path = options.data_into;
        settings.s3_bucket_url.clear();
    } else if (config::is_s3(manifest.data_path)) {
        settings.data_path = manifest.data_path;
        settings.s3_bucket_url.clear();
    }
    return settings;
}

Status make_socket_dir(const config::Settings& settings) {
    const std::string directory = catalog::socket_dir(settings);
    if (directory == config::run_dir(settings) || ::mkdir(directory.c_str(), 0700) == 0) return {};
    const int error = errno;
    struct stat status {};
    const bool is_own = ::lstat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
                        status.st_uid == ::geteuid() && (status.st_mode & 077) == 0;
    if (error == EEXIST && is_own) return {};  // of a restore that was killed
    return os_error("cannot create " + directory + ", where PostgreSQL's socket belongs", error);
}

// Everything that takes root, and then root is given up.
Status prepare(const RestoreOptions& options, const Manifest& manifest, Work& work) {
    auto user = supervisor::choose_box_user(options.settings.run_as);
    if (!user) return user.error();
    work.user = *user;
    const auto postgres = supervisor::find_postgres(
        {.pg_bin = options.settings.pg_bin, .path = options.path, .major = manifest.postgres_major});
    if (!postgres) return postgres.error();
    work.bin_dir = postgres->bin_dir;
    if (auto checked = supervisor::check_data_directory(work.settings, *user); !checked) return checked;
    auto lock = supervisor::DataLock::acquire(config::run_dir(work.settings), *user);
    if (!lock) return lock.error();
    work.lock.emplace(std::move(*lock));
    if (auto laid_out = supervisor::lay_out_data_directory(work.settings, *user); !laid_out) return laid_out;
    auto engine = supervisor::prepare_engine_program(work.settings, *user);
    if (!engine) return engine.error();
    work.engine = std::move(*engine);
    const auto program = supervisor::prepare_own_program(work.settings, *user);
    if (!program) return program.error();
    work.program = *program;
    if (auto became = supervisor::become(*user); !became) return became;
    return make_socket_dir(work.settings);
}

// The old lake's files are not the new one's to delete.
Status spare_files(const config::Settings& settings, catalog::Connection& lake) {
    const auto endpoint = catalog::box_database_endpoint(settings);
    if (!endpoint) return endpoint.error();
    auto box = catalog::Connection::open(*endpoint);
    if (!box) return box.error();
    if (auto prepared = keeper::prepare_journal(*box); !prepared) return prepared;
    for (const char* policy : {"cleanup_age", "orphan_age"}) {
        if (auto set = keeper::set_policy({lake, *box}, {policy, {}, "off"}); !set) return set;
    }
    return {};
}

// So that a box on the new directory finds the files where the catalog says they are.
Status link_lake(const config::Settings& settings, const std::string& data_path) {
    const fs::path link = fs::path(settings.data_dir) / "lake";
    std::error_code failed;
    fs::remove(link, failed);
    if (!failed) fs::create_directory_symlink(data_path, link, failed);
    if (failed) return os_error("cannot make " + link.string() + " lead to " + data_path, failed.value());
    return {};
}

// DuckDB's look at the lake, by the engine, as this program links no DuckDB.
Result<std::vector<TableRows>> count_rows(const Work& work, bool deep) {
    config::Settings settings = work.settings;
    settings.extension_dir = work.engine.extension_dir;
    settings.log_level = "warning";
    for (const auto& [name, value] : config::to_environment(settings)) ::setenv(name.c_str(), value.c_str(), 1);
    ::setenv("HOME", work.settings.data_dir.c_str(), 1);
    if (!work.engine.library_dir.empty()) ::setenv("LD_LIBRARY_PATH", work.engine.library_dir.c_str(), 1);
    auto engine = PipeProgram::start({work.engine.executable, deep ? "read-lake" : "count-lake"},
                                     PipeProgram::Direction::read_from);
    if (!engine) return engine.error();
    std::string output;
    char buffer[65536];
    while (true) {
        const auto size = (*engine)->read(buffer, sizeof(buffer));
        if (!size) return size.error();
        if (*size == 0) break;
        output.append(buffer, *size);
    }
    if (auto ended = (*engine)->finish(); !ended) return ended.error();
    boost::system::error_code malformed;
    const auto report = boost::json::parse(output, malformed);
    if (malformed || !report.is_array()) return Error{ErrorKind::internal, "the engine counted no rows", "", ""};
    std::vector<TableRows> tables;
    for (const auto& entry : report.as_array()) {
        const auto& table = entry.as_object();
        tables.push_back({std::string(table.at("schema").as_string()), std::string(table.at("table").as_string()),
                          table.at("rows").to_number<long long>()});
    }
    return tables;
}

// Brings the files, or looks for them where they are.
Status find_files(const Work& work, catalog::Connection& lake, Restored& restored) {
    const auto files = read_data_files(lake);
    if (!files) return files.error();
    restored.files_checked =
        work.data || !config::is_s3(restored.data_path) || !work.settings.aws_access_key_id.empty();
    if (!restored.files_checked) return {};
    auto findings = work.data ? work.data->bring(*files, restored.data_path)
                              : check_files(*files, restored.data_path, work.settings);
    if (!findings) return findings.error();
    restored.files = std::move(*findings);
    restored.shares_files = !work.data || work.data->elsewhere() > 0;
    if (!work.data) return {};
    const std::string destination = config::effective_data_path(work.settings);
    if (auto moved = move_lake(lake, restored.data_path, destination); !moved) return moved;
    restored.data_path = destination;
    return {};
}

Status look_at_lake(const Work& work, bool counts, bool deep, Restored& restored) {
    const auto endpoint = catalog::lake_endpoint(work.settings);
    if (!endpoint) return endpoint.error();
    auto lake = catalog::Connection::open(*endpoint);
    if (!lake) return lake.error();
    const auto record = catalog::read_lake_record(*lake);
    if (!record) return record.error();
    restored.snapshot = record->snapshot;
    restored.data_path = record->data_path;
    if (auto found = find_files(work, *lake, restored); !found) return found;
    if (restored.shares_files) {
        if (auto spared = spare_files(work.settings, *lake); !spared) return spared;
    }
    if (!counts && !deep) return {};
    auto tables = count_rows(work, deep);
    if (!tables) return tables.error();
    restored.tables = std::move(*tables);
    return {};
}

// Where the key and the place of the backups stand for PostgreSQL's restore_command, while it recovers.
class CommandSettings {
  public:
    explicit CommandSettings(const config::Settings& into) : path_(config::secrets_dir(into) + "/restore.toml") {}
    CommandSettings(const CommandSettings&) = delete;
    CommandSettings& operator=(const CommandSettings&) = delete;
    ~CommandSettings() { ::unlink(path_.c_str()); }
    Status write(const config::Settings& settings) { return supervisor::write_backup_settings(settings, path_); }
    const std::string& path() const { return path_; }

  private:
    const std::string path_;
};

// What every recovery of a restore has in common.
struct Recoverer {
    const Store& store;
    const Secret& key;
    RecoveryOptions options;

    Result<std::unique_ptr<RecoveredCluster>> run(const Manifest& manifest, const RecoveryTarget& target) const {
        RecoveryOptions now = options;
        now.target = target;
        return recover(store, manifest, key, now);
    }
};

Result<std::string> transaction_of(const Work& work, long long snapshot) {
    const auto endpoint = catalog::lake_endpoint(work.settings);
    if (!endpoint) return endpoint.error();
    auto lake = catalog::Connection::open(*endpoint);
    if (!lake) return lake.error();
    const auto rows =
        lake->query("SELECT xmin FROM public.ducklake_snapshot WHERE snapshot_id = $1", {std::to_string(snapshot)});
    if (!rows) return rows.error();
    if (!rows->empty()) return rows->at(0).at(0).value_or("");
    return Error{ErrorKind::not_found,
                 fmt::format("snapshot {} is neither in the backups nor in the archived log: it has expired before the "
                             "next backup, or has never been",
                             snapshot),
                 "Restore to a time instead; `boathouse undo list` shows when a snapshot was made.", ""};
}

// A later state of the catalog says by which transaction a snapshot came.
Status look_up_snapshot(const Recoverer& recoverer, const Work& work, const std::vector<Manifest>& manifests,
                        RestorePlan& plan) {
    if (plan.snapshot < 0) return {};
    const Manifest* later = &plan.backup;
    for (const Manifest& manifest : manifests) {
        if (manifest.id == plan.look_up_in) later = &manifest;
    }
    const bool is_in_backup = !plan.look_up_in.empty();
    auto cluster = recoverer.run(*later, {is_in_backup ? RecoveryTarget::Kind::backup : RecoveryTarget::Kind::end, ""});
    if (!cluster) return cluster.error();
    auto transaction = transaction_of(work, plan.snapshot);
    if (!transaction) return transaction.error();
    plan.target.value = *transaction;
    const std::string pgdata = (*cluster)->pgdata();
    cluster->reset();
    std::error_code failed;
    fs::remove_all(pgdata, failed);
    if (failed) return os_error("cannot remove " + pgdata, failed.value());
    return {};
}

Error missing_piece(const Store& store, const std::string& gap) {
    return {ErrorKind::corrupt,
            gap + " is missing from " + store.path(kWalDirectory) + ", and later pieces of PostgreSQL's log are there",
            "Bring that file back from another copy; without it only moments before it can be restored, or a backup "
            "by its id.",
            ""};
}

// A recovery would take a hole in the log for its end, and what came later would be gone without a word.
Status check_log(const Store& store, const RestorePlan& plan, std::string& gap) {
    if (plan.target.kind == RecoveryTarget::Kind::backup) return {};
    const auto names = read_wal_names(store);
    if (!names) return names.error();
    gap = first_gap(*names, plan.backup.wal_last);
    if (!gap.empty() && plan.target.kind == RecoveryTarget::Kind::end) return missing_piece(store, gap);
    return {};
}

Result<std::unique_ptr<RecoveredCluster>> recover_to(const Recoverer& recoverer, const RestorePlan& plan,
                                                     const std::string& gap) {
    auto cluster = recoverer.run(plan.backup, plan.target);
    if (cluster || cluster.error().kind != ErrorKind::not_found) return cluster;
    if (!gap.empty()) return missing_piece(recoverer.store, gap);
    Error error = cluster.error();
    error.hint = "`--to end` restores the last that is archived; a box that runs archives a minute after each change.";
    return error;
}

Result<Restored> restore_plan(const RestoreOptions& options, const Store& store, const std::vector<Manifest>& manifests,
                              RestorePlan plan, bool counts) {
    if (auto empty = check_empty(options.into); !empty) return empty.error();
    std::string gap;
    if (auto checked = check_log(store, plan, gap); !checked) return checked.error();
    Work work(new_settings(options, plan.backup));
    if (auto prepared = prepare(options, plan.backup, work); !prepared) return prepared.error();
    if (brings_data(options, plan.backup)) {
        auto data = DataBringer::open(
            {store, options.settings, config::effective_data_path(work.settings), plan.backup, manifests});
        if (!data) return data.error();
        work.data = std::move(*data);
    }
    CommandSettings command_settings(work.settings);
    if (auto written = command_settings.write(options.settings); !written) return written.error();
    const Recoverer recoverer{store,
                              options.settings.backup_key,
                              {.settings = work.settings,
                               .bin_dir = work.bin_dir,
                               .os_user = work.user.name,
                               .restore_command = supervisor::restore_command(work.program, command_settings.path()),
                               .target = {}}};
    if (auto found = look_up_snapshot(recoverer, work, manifests, plan); !found) return found.error();
    auto cluster = recover_to(recoverer, plan, gap);
    if (!cluster) return cluster.error();
    Restored restored;
    restored.backup = plan.backup;
    restored.how = plan.how;
    if (auto looked = look_at_lake(work, counts, options.deep, restored); !looked) return looked.error();
    if (auto adopted = (*cluster)->adopt(); !adopted) return adopted.error();
    if (work.data) {
        work.data->keep();
    } else if (!config::is_s3(restored.data_path)) {
        if (auto linked = link_lake(work.settings, restored.data_path); !linked) return linked.error();
    }
    work.is_done = true;
    return restored;
}

// Of what is stored, byte by byte.
Status check_digest(const Store& store, const Manifest& manifest) {
    const std::string name = base_directory(manifest.id) + "/" + manifest.base.name;
    auto source = store.read(name);
    if (!source) return source.error();
    const auto digest = digest_of(**source);
    if (!digest) return digest.error();
    if (*digest == manifest.base.digest) return {};
    return Error{ErrorKind::corrupt,
                 fmt::format("{} is not what was written: {} bytes instead of {}, or other ones", store.path(name),
                             digest->bytes, manifest.base.digest.bytes),
                 "Make another backup, and look at the disk that this one is on.", ""};
}

}  // namespace

Result<Restored> restore(const RestoreOptions& options) {
    const auto store = open_store(options.settings);
    if (!store) return store.error();
    const auto manifests = read_manifests(**store);
    if (!manifests) return manifests.error();
    const auto plan = plan_restore(*manifests, options.to);
    if (!plan) return plan.error();
    return restore_plan(options, **store, *manifests, *plan, false);
}

Result<Restored> verify_backup(const RestoreOptions& options, const std::string& scratch) {
    const auto store = open_store(options.settings);
    if (!store) return store.error();
    const auto manifests = read_manifests(**store);
    if (!manifests) return manifests.error();
    const auto plan = plan_restore(*manifests, options.to);
    if (!plan) return plan.error();
    if (auto checked = check_digest(**store, plan->backup); !checked) return checked.error();
    RestoreOptions scratch_options = options;
    scratch_options.into = scratch + "/boathouse-verify-" + plan->backup.id;
    auto restored = restore_plan(scratch_options, **store, *manifests, *plan, true);
    std::error_code ignored;
    if (restored) fs::remove_all(scratch_options.into, ignored);
    return restored;
}

}  // namespace boathouse::backup
