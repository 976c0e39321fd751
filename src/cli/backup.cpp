// `boathouse backup …` and `boathouse restore`: the lake, kept and brought back.
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <iomanip>
#include <iostream>

#include "backup/box.hpp"
#include "backup/create.hpp"
#include "backup/prune.hpp"
#include "backup/restore.hpp"
#include "backup/wal_archive.hpp"
#include "cli/commands.hpp"
#include "cli/keeper_connections.hpp"
#include "cli/running_box.hpp"
#include "keeper/policy.hpp"
#include "supervisor/box_user.hpp"
#include "supervisor/postgres_installation.hpp"

namespace boathouse::cli {
namespace {

constexpr const char* kRetention = "backup_retention";
constexpr const char* kFirstRetention = "7 days";
constexpr double kMegabyte = 1e6;
constexpr std::size_t kMissingShown = 20;

struct BackupArguments {
    std::string id = "latest";
    std::string to = "latest";
    std::string into;
    std::string scratch;
    std::string older_than;
    bool deep = false;
    bool with_data = false;
    bool without_data = false;
    std::string data_into;
    bool json = false;
};

std::string path_of(const Invocation& invocation) {
    const auto path = invocation.environment.find("PATH");
    return path == invocation.environment.end() ? "" : path->second;
}

void adopt_store(const config::Settings& of_box, config::Settings& settings) {
    settings.s3_endpoint = of_box.s3_endpoint;
    settings.s3_url_style = of_box.s3_url_style;
    settings.s3_use_ssl = of_box.s3_use_ssl;
    settings.aws_region = of_box.aws_region;
    settings.aws_access_key_id = of_box.aws_access_key_id;
    settings.aws_secret_access_key = of_box.aws_secret_access_key;
    settings.aws_session_token = of_box.aws_session_token;
}

Result<config::Settings> backup_settings(const Invocation& invocation) {
    auto settings = read_settings(invocation);
    if (!settings) return settings;
    if (!settings->catalog.empty()) {
        return Error{ErrorKind::configuration,
                     "the catalog is external: its PostgreSQL's files and log are not this box's to copy",
                     "Use the backups and the point-in-time recovery of that PostgreSQL's provider, and set the policy "
                     "backup_retention to as long as they reach back, so that the lake's files are there too.",
                     ""};
    }
    if (settings->backup_to.empty()) {
        // What the box was started with.
        const auto of_box = config::read({{"config_file", config::backup_settings_file(*settings)}}, {});
        settings->backup_to = of_box.loaded.settings.backup_to;
        settings->backup_rate_mb = of_box.loaded.settings.backup_rate_mb;
        if (settings->backup_key.empty()) settings->backup_key = of_box.loaded.settings.backup_key;
        if (settings->aws_access_key_id.empty()) adopt_store(of_box.loaded.settings, *settings);
    }
    if (settings->backup_to.empty()) {
        return Error{
            ErrorKind::configuration, "it is not said where backups are",
            "Name their directory or s3:// URL with --backup-to, BOATHOUSE_BACKUP_TO or backup_to in the file.", ""};
    }
    return settings;
}

// What is written for the box belongs to the box's user, whoever asks for it.
Status become_box_user(const config::Settings& settings) {
    struct stat status {};
    if (::stat(settings.data_dir.c_str(), &status) != 0) {
        return Error{ErrorKind::not_found, "there is no box in " + settings.data_dir,
                     "Name its data directory with --data-dir.", ""};
    }
    if (::geteuid() != 0 || status.st_uid == 0) return {};
    const auto user = supervisor::choose_box_user(supervisor::user_name(status.st_uid));
    if (!user) return user.error();
    return supervisor::become(*user);
}

// A backup is worth little without the files that its catalog names: the keeper must leave them.
Status protect_files(config::Settings settings) {
    auto databases = connect_to_keeper(std::move(settings));
    if (!databases) return databases.error();
    const auto policies = keeper::read_policies(databases->both());
    if (!policies) return policies.error();
    for (const keeper::PolicySetting& setting : policies->settings()) {
        if (setting.key == kRetention) return {};
    }
    std::cerr << "The policy backup_retention is set to " << kFirstRetention
              << ": so long the keeper leaves files that a backup may need.\n";
    return keeper::set_policy(databases->both(), {kRetention, {}, kFirstRetention});
}

boost::json::object to_object(const backup::Manifest& manifest) {
    boost::json::object object{{"id", manifest.id},
                               {"started_at", backup::utc_text(manifest.started_unix)},
                               {"finished_at", backup::utc_text(manifest.finished_unix)},
                               {"snapshot", manifest.snapshot_before},
                               {"catalog_bytes", manifest.catalog_bytes},
                               {"stored_bytes", manifest.base.digest.bytes},
                               {"encrypted", !manifest.key_id.empty()},
                               {"postgres_version", manifest.postgres_version},
                               {"data_path", manifest.data_path},
                               {"with_data", manifest.data.has_value()}};
    if (manifest.data) {
        object["data_files"] = manifest.data->files;
        object["data_bytes"] = manifest.data->bytes;
        object["new_data_bytes"] = manifest.data->new_bytes;
    }
    return object;
}

void print(const backup::Manifest& manifest) {
    std::cout << manifest.id << "  snapshot " << manifest.snapshot_before << ", " << std::fixed << std::setprecision(1)
              << static_cast<double>(manifest.base.digest.bytes) / kMegabyte << " MB of "
              << static_cast<double>(manifest.catalog_bytes) / kMegabyte << " MB"
              << (manifest.key_id.empty() ? "" : ", encrypted");
    if (manifest.data) {
        std::cout << ", with " << manifest.data->files << " data files of "
                  << static_cast<double>(manifest.data->bytes) / kMegabyte << " MB, "
                  << static_cast<double>(manifest.data->new_bytes) / kMegabyte << " MB of them new";
    }
    std::cout << "\n";
}

int create(const Invocation& invocation, const BackupArguments& arguments) {
    auto settings = backup_settings(invocation);
    if (!settings) return fail(settings.error());
    if (auto adopted = adopt_running_box(*settings); !adopted) return fail(adopted.error());
    if (auto became = become_box_user(*settings); !became) return fail(became.error());
    if (auto reached = connect_to_box(*settings); !reached) return fail(reached.error());
    const auto major = supervisor::cluster_major(config::postgres_dir(*settings));
    if (!major) return fail(major.error());
    const auto postgres =
        supervisor::find_postgres({.pg_bin = settings->pg_bin, .path = path_of(invocation), .major = *major});
    if (!postgres) return fail(postgres.error());
    if (auto guarded = protect_files(*settings); !guarded) return fail(guarded.error());
    const auto made = backup::create_backup({*settings, postgres->bin_dir, arguments.with_data});
    if (!made) return fail(made.error());
    if (made->elsewhere > 0) {
        std::cerr << made->elsewhere << " data files lie outside of " << made->manifest.data_path
                  << ", registered by somebody, and are not copied.\n";
    }
    if (arguments.json) std::cout << to_object(made->manifest) << "\n";
    if (!arguments.json) print(made->manifest);
    return kExitOk;
}

int list(const Invocation& invocation, const BackupArguments& arguments) {
    const auto settings = backup_settings(invocation);
    if (!settings) return fail(settings.error());
    const auto store = backup::open_store(*settings);
    if (!store) return fail(store.error());
    const auto manifests = backup::read_manifests(**store);
    if (!manifests) return fail(manifests.error());
    boost::json::array array;
    for (const backup::Manifest& manifest : *manifests) {
        if (arguments.json) array.push_back(to_object(manifest));
        if (!arguments.json) print(manifest);
    }
    if (arguments.json) std::cout << array << "\n";
    if (!arguments.json && manifests->empty()) std::cerr << "There is no backup in " << (*store)->place() << ".\n";
    return kExitOk;
}

// Seconds; by what was said, else by the policy of the running box.
Result<double> retention(config::Settings settings, const std::string& older_than) {
    std::string text = older_than;
    if (text.empty()) {
        auto databases = connect_to_keeper(std::move(settings));
        if (!databases) return databases.error();
        const auto policies = keeper::read_policies(databases->both());
        if (!policies) return policies.error();
        text = policies->text(kRetention);
    }
    const auto seconds = config::parse_duration(text);
    if (seconds) return *seconds;
    return Error{ErrorKind::configuration, "how long backups are kept is \"" + text + "\", which is no duration",
                 "Say --older-than '14 days', or set the policy backup_retention.", ""};
}

int prune(const Invocation& invocation, const BackupArguments& arguments) {
    auto settings = backup_settings(invocation);
    if (!settings) return fail(settings.error());
    if (auto became = become_box_user(*settings); !became) return fail(became.error());
    const auto seconds = retention(*settings, arguments.older_than);
    if (!seconds) return fail(seconds.error());
    const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    const auto pruned = backup::prune(*settings, now - *seconds);
    if (!pruned) return fail(pruned.error());
    for (const std::string& id : pruned->backups) std::cout << "removed " << id << "\n";
    if (pruned->wal_pieces > 0) std::cout << "removed " << pruned->wal_pieces << " pieces of the archived log\n";
    if (pruned->data_files > 0) std::cout << "removed " << pruned->data_files << " copies of data files\n";
    std::cerr << pruned->kept << (pruned->kept == 1 ? " backup is kept.\n" : " backups are kept.\n");
    return kExitOk;
}

// PostgreSQL's recovery takes this exit code for a failure, and every other one but 0 for the end of the log
// (RestoreArchivedFile() in its xlogarchive.c).
constexpr int kExitEndsRecovery = 255;

int archive_wal(const Invocation& invocation, const BackupArguments& arguments) {
    const auto settings = backup_settings(invocation);
    if (!settings) return fail(settings.error());
    const auto store = backup::make_store(*settings);
    if (!store) return fail(store.error());
    const auto box = backup::box_identity(*settings);
    if (!box) return fail(box.error());
    if (auto claimed = backup::claim_store(**store, *box); !claimed) return fail(claimed.error());
    if (auto kept = backup::archive_wal(**store, arguments.id, settings->backup_key); !kept) return fail(kept.error());
    return kExitOk;
}

int fetch_wal(const Invocation& invocation, const BackupArguments& arguments) {
    const auto settings = backup_settings(invocation);
    const auto store = settings ? backup::open_store(*settings) : settings.error();
    if (!store) {
        (void)fail(store.error());
        return kExitEndsRecovery;
    }
    auto fetched = backup::fetch_wal(**store, arguments.id, arguments.into, settings->backup_key);
    if (fetched) return kExitOk;
    if (fetched.error().kind == ErrorKind::not_found) return kExitFailed;
    (void)fail(fetched.error());
    return kExitEndsRecovery;
}

boost::json::object to_object(const backup::Restored& restored) {
    boost::json::array missing;
    for (const std::string& file : restored.files.missing) missing.emplace_back(file);
    boost::json::array tables;
    for (const backup::TableRows& table : restored.tables) {
        tables.push_back({{"schema", table.schema}, {"table", table.table}, {"rows", table.rows}});
    }
    return {{"backup", restored.backup.id},
            {"snapshot", restored.snapshot},
            {"data_path", restored.data_path},
            {"shares_files", restored.shares_files},
            {"files_checked", restored.files_checked},
            {"files", restored.files.files},
            {"bytes", restored.files.bytes},
            {"missing", missing},
            {"history_files", restored.files.history_files},
            {"history_missing", restored.files.history_missing},
            {"tables", tables}};
}

// What was found; whether the lake is whole.
bool print(const backup::Restored& restored, bool json) {
    const auto& files = restored.files;
    if (json) {
        std::cout << to_object(restored) << "\n";
        return files.missing.empty();
    }
    std::cout << "restored " << restored.how << ": snapshot " << restored.snapshot << "\n";
    if (restored.files_checked) {
        std::cout << "files    " << files.files << " of the snapshot, " << static_cast<double>(files.bytes) / kMegabyte
                  << " MB, " << files.missing.size() << " missing; of older snapshots " << files.history_files << ", "
                  << files.history_missing << " missing\n";
    } else {
        std::cout << "files    not looked at: AWS_ACCESS_KEY_ID is not set\n";
    }
    for (const backup::TableRows& table : restored.tables) {
        std::cout << "rows     " << table.schema << "." << table.table << " " << table.rows << "\n";
    }
    for (std::size_t i = 0; i < files.missing.size() && i < kMissingShown; ++i) {
        std::cerr << "missing  " << files.missing[i] << "\n";
    }
    return files.missing.empty();
}

backup::RestoreOptions restore_options(const Invocation& invocation, const BackupArguments& arguments,
                                       config::Settings settings) {
    backup::RestoreOptions options;
    options.settings = std::move(settings);
    options.path = path_of(invocation);
    options.deep = arguments.deep;
    if (arguments.with_data || arguments.without_data) options.with_data = arguments.with_data;
    return options;
}

int verify(const Invocation& invocation, const BackupArguments& arguments) {
    auto settings = backup_settings(invocation);
    if (!settings) return fail(settings.error());
    std::string scratch =
        arguments.scratch.empty() ? std::filesystem::temp_directory_path().string() : arguments.scratch;
    auto options = restore_options(invocation, arguments, std::move(*settings));
    options.to = arguments.id;
    const auto restored = backup::verify_backup(options, std::filesystem::absolute(scratch).string());
    if (!restored) return fail(restored.error());
    return print(*restored, arguments.json) ? kExitOk : kExitFailed;
}

// A local directory as an absolute path, so that a box that runs elsewhere finds it.
std::string absolute_place(const std::string& place) {
    if (place.empty() || config::is_s3(place)) return place;
    return std::filesystem::absolute(place).lexically_normal().string();
}

void tell_how_to_start(const backup::Restored& restored, const backup::RestoreOptions& options) {
    std::cerr << "Start it with `boathouse serve --data-dir " << options.into;
    if (!options.data_into.empty() && !restored.shares_files) std::cerr << " --data-path " << restored.data_path;
    std::cerr << "`, other ports if the old box runs, and the old box's\nPOSTGRES_DB and POSTGRES_USER ("
              << restored.backup.postgres_db << ", " << restored.backup.postgres_user << "). ";
    if (!restored.shares_files) {
        std::cerr << "Its data files are its own, in " << restored.data_path << ".\n";
        return;
    }
    std::cerr
        << "It shares files with the old lake: read \"Two lakes, one set of files\" in docs/backup.md\n"
           "before both write. Its keeper deletes no file until the policies cleanup_age and orphan_age say so.\n";
}

int restore(const Invocation& invocation, const BackupArguments& arguments) {
    auto settings = backup_settings(invocation);
    if (!settings) return fail(settings.error());
    auto options = restore_options(invocation, arguments, std::move(*settings));
    options.data_into = absolute_place(arguments.data_into);
    options.to = arguments.to;
    options.into = std::filesystem::absolute(arguments.into).lexically_normal().string();
    const auto restored = backup::restore(options);
    if (!restored) return fail(restored.error());
    const bool is_whole = print(*restored, arguments.json);
    tell_how_to_start(*restored, options);
    if (is_whole) return kExitOk;
    std::cerr << "The catalog is restored, and the files above are missing: queries that need them will fail.\n";
    return kExitFailed;
}

using Command = int (*)(const Invocation&, const BackupArguments&);

void on_call(CLI::App& command, Invocation& invocation, const std::shared_ptr<BackupArguments>& arguments,
             Command run) {
    command.add_flag("--json", arguments->json, "Print JSON");
    command.callback([&invocation, arguments, run] {
        invocation.run = [&invocation, arguments, run] { return run(invocation, *arguments); };
    });
}

void add_data_flags(CLI::App& command, const std::shared_ptr<BackupArguments>& arguments) {
    CLI::Option* with = command.add_flag("--with-data", arguments->with_data,
                                         "Bring the data files from their copies, also if this backup has none itself");
    command
        .add_flag("--without-data", arguments->without_data, "Leave the copies alone: use the lake's own data files")
        ->excludes(with);
}

// What PostgreSQL runs; in no list of commands.
void add_wal_commands(CLI::App& parent, Invocation& invocation, const std::shared_ptr<BackupArguments>& arguments) {
    CLI::App& archiving =
        add_command(parent, {.name = "archive-wal", .summary = "Keep a piece of PostgreSQL's log; PostgreSQL runs it"});
    archiving.group("");
    accept_settings(archiving, invocation, {"config_file", "data_dir"});
    archiving.add_option("file", arguments->id, "The piece")->required();
    on_call(archiving, invocation, arguments, archive_wal);
    CLI::App& fetching =
        add_command(parent, {.name = "fetch-wal", .summary = "Bring a piece back; PostgreSQL's recovery runs it"});
    fetching.group("");
    accept_settings(fetching, invocation, {"config_file", "data_dir"});
    fetching.add_option("name", arguments->id, "The piece's name")->required();
    fetching.add_option("destination", arguments->into, "Where it goes")->required();
    on_call(fetching, invocation, arguments, fetch_wal);
}

}  // namespace

void add_backup(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(
        root, {.name = "backup",
               .summary = "Make, list, verify and remove backups of the lake",
               .teaching =
                   "A backup is of the catalog. The lake's data files stay where they are: they never change, and the\n"
                   "keeper leaves them for as long as the policy backup_retention says. With --with-data they are\n"
                   "copied too, each once. docs/backup.md has the whole story.\n\n"
                   "Examples:\n"
                   "  boathouse backup create --backup-to /mnt/backup/lake\n"
                   "  boathouse backup create --with-data --backup-to s3://company-backups/lake\n"
                   "  boathouse backup verify"});
    command.require_subcommand(1);
    const auto arguments = std::make_shared<BackupArguments>();
    CLI::App& creating = add_command(command, {.name = "create", .summary = "Back up the running box's catalog"});
    accept_settings(creating, invocation, {"config_file", "data_dir", "backup_to", "backup_rate_mb", "pg_bin"});
    creating.add_flag("--with-data", arguments->with_data,
                      "Copy the lake's data files too: those that no backup there has a copy of");
    on_call(creating, invocation, arguments, create);
    CLI::App& listing = add_command(command, {.name = "list", .summary = "The backups that are there, oldest first"});
    accept_settings(listing, invocation, {"config_file", "data_dir", "backup_to"});
    on_call(listing, invocation, arguments, list);
    CLI::App& verifying = add_command(
        command,
        {.name = "verify",
         .summary = "Check a backup's bytes, restore it beside, count its tables' rows",
         .teaching = "Needs room in the scratch directory, which is left as it was: for the catalog, and for the\n"
                     "data files where the backup has copies of them and --without-data does not leave those out."});
    accept_settings(verifying, invocation, {"config_file", "data_dir", "backup_to", "pg_bin", "run_as"});
    verifying.add_option("id", arguments->id, "The backup; default: the latest");
    verifying.add_option("--scratch", arguments->scratch, "Where to restore; default: the temporary directory");
    verifying.add_flag("--deep", arguments->deep, "Read every value of every table");
    add_data_flags(verifying, arguments);
    on_call(verifying, invocation, arguments, verify);
    CLI::App& pruning =
        add_command(command, {.name = "prune", .summary = "Remove backups that no moment within the retention needs"});
    accept_settings(pruning, invocation, {"config_file", "data_dir", "backup_to"});
    pruning.add_option("--older-than", arguments->older_than, "Instead of the policy backup_retention: '14 days'");
    on_call(pruning, invocation, arguments, prune);
    add_wal_commands(command, invocation, arguments);
}

void add_restore(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(
        root, {.name = "restore",
               .summary = "Bring a lake back from a backup, into a new data directory",
               .teaching = "From a backup with data, and with --with-data from any, the data files are brought along,\n"
                           "to lake/ in the new data directory or where --data-into says. Else the restored lake\n"
                           "reads the old one's files where they are.\n\n"
                           "Examples:\n"
                           "  boathouse restore --into /srv/restored\n"
                           "  boathouse restore --to '2026-11-23 05:42Z' --into /srv/restored\n"
                           "  boathouse restore --to 'snapshot 4711' --into /srv/restored --deep"});
    accept_settings(command, invocation, {"config_file", "data_dir", "backup_to", "pg_bin", "run_as"});
    const auto arguments = std::make_shared<BackupArguments>();
    command.add_option(
        "--to", arguments->to,
        "latest (the default), a backup's id, end, 'snapshot N', or a time, UTC unless it says otherwise");
    command.add_option("--into", arguments->into, "The new data directory; must not exist, or be empty")->required();
    command.add_flag("--deep", arguments->deep, "Read every value of every table");
    add_data_flags(command, arguments);
    command.add_option("--data-into", arguments->data_into,
                       "Where the data files go, a directory or an s3:// URL, empty; default: lake/ in the new data "
                       "directory");
    on_call(command, invocation, arguments, restore);
}

}  // namespace boathouse::cli
