// `boathouse migrate`: lets a newer DuckDB move the catalog to another version, on purpose and with a way back.
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "catalog/bootstrap.hpp"
#include "catalog/dump.hpp"
#include "catalog/version_guard.hpp"
#include "cli/commands.hpp"
#include "cli/running_box.hpp"
#include "cli/stopped_box.hpp"
#include "config/version.hpp"
#include "supervisor/postgres_installation.hpp"
#include "upgrade/dump_back.hpp"

namespace boathouse::cli {
namespace {

struct MigrateOptions {
    bool allow = false;
    bool lock = false;
    bool yes = false;
    std::string dump_to;
    std::string back;
};

const char* in_words(catalog::GuardState state) {
    switch (state) {
        case catalog::GuardState::absent:
            return "absent: the next start of the box installs it";
        case catalog::GuardState::lifted:
            return "lifted: a client that attaches with AUTOMATIC_MIGRATION migrates the catalog";
        case catalog::GuardState::active:
            return "active: the version cannot be changed";
    }
    return "";
}

Status print_state(const config::Settings& settings, catalog::Connection& connection) {
    const auto endpoint = catalog::lake_endpoint(settings);
    if (!endpoint) return endpoint.error();
    auto lake_connection = catalog::Connection::open(*endpoint);
    if (!lake_connection) return lake_connection.error();
    const auto lake = catalog::read_lake_record(*lake_connection);
    if (!lake) return lake.error();
    const auto guard = catalog::read_version_guard(connection);
    if (!guard) return guard.error();
    std::cout << "catalog    version " << lake->version << "\n"
              << "this box   serves version " << config::ducklake_catalog_version() << " (DuckDB "
              << config::duckdb_version() << ")\n"
              << "guard      " << in_words(*guard) << "\n";
    return {};
}

bool confirmed() {
    std::cerr << "\nA catalog that a newer DuckLake has migrated can never be opened by DuckDB "
              << config::duckdb_version()
              << " again:\nnot by this box, nor by any client of its age. The only way back is the dump.\n"
              << "Lift the guard? Type yes: " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "yes";
}

// backups/ in the data directory, as private as what goes into it, and the box's even where root made it.
Result<std::string> default_dump_file(const config::Settings& settings) {
    const std::string dir = settings.data_dir + "/backups";
    struct stat owner {};
    if (::mkdir(dir.c_str(), 0700) == 0 && ::stat(settings.data_dir.c_str(), &owner) == 0 &&
        ::chown(dir.c_str(), owner.st_uid, owner.st_gid) != 0) {
        return Error{.kind = ErrorKind::permission, .message = "cannot give " + dir + " to the box's user"};
    }
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::ostringstream name;
    name << dir << "/catalog-" << std::put_time(&parts, "%Y%m%dT%H%M%SZ") << ".dump";
    return name.str();
}

Result<std::string> dump(const Invocation& invocation, const config::Settings& settings, const std::string& dump_to) {
    const auto major = supervisor::cluster_major(config::postgres_dir(settings));
    const auto postgres = supervisor::find_postgres(
        {.pg_bin = settings.pg_bin, .path = search_path(invocation), .major = major ? *major : std::nullopt});
    if (!postgres) return postgres.error();
    const auto endpoint = catalog::box_endpoint(settings);
    if (!endpoint) return endpoint.error();
    auto file = dump_to.empty() ? default_dump_file(settings) : Result<std::string>(dump_to);
    if (!file) return file.error();
    const auto dumped = catalog::dump_database(*endpoint, {postgres->bin_dir + "/pg_dump", *file});
    if (!dumped) return dumped.error();
    return file;
}

int allow(const Invocation& invocation, const config::Settings& settings, catalog::Connection& connection,
          const MigrateOptions& options) {
    if (!options.yes && !confirmed()) {
        std::cerr << "Nothing was changed.\n";
        return kExitFailed;
    }
    const auto file = dump(invocation, settings, options.dump_to);
    if (!file) return fail(file.error());
    std::cout << "dump       " << *file << "\n";
    if (const auto lifted = catalog::set_version_guard(connection, false); !lifted) return fail(lifted.error());
    std::cout << "guard      lifted; `boathouse migrate --lock` puts it back\n";
    return kExitOk;
}

// A migrated catalog cannot be opened by this box's engine, so the way back is one for a box that does not run.
int back(const Invocation& invocation, const std::string& dump_file) {
    const std::string dump = std::filesystem::absolute(dump_file).string();
    const auto box = take_stopped_box(invocation);
    if (!box) return fail(box.error());
    const auto major = cluster_major(box->settings);
    if (!major) return fail(major.error());
    const auto postgres =
        supervisor::find_postgres({.pg_bin = box->settings.pg_bin, .path = search_path(invocation), .major = *major});
    if (!postgres) return fail(postgres.error());
    const auto kept = upgrade::bring_back(
        {.settings = box->settings, .postgres = *postgres, .os_user = box->user.name, .dump = dump});
    if (!kept) return fail(kept.error());
    std::cout << "The catalog is the one of the dump again. Start the box: boathouse serve --data-dir "
              << box->settings.data_dir << "\nThe one that was there is the database " << *kept
              << " now; drop it when nobody needs it.\n";
    return kExitOk;
}

int migrate(const Invocation& invocation, const MigrateOptions& options) {
    if (!options.back.empty()) return back(invocation, options.back);
    auto settings = read_settings(invocation);
    if (!settings) return fail(settings.error());
    if (const auto adopted = adopt_running_box(*settings); !adopted) return fail(adopted.error());
    auto connection = connect_to_box(*settings);
    if (!connection) return fail(connection.error());
    if (options.lock) {
        if (const auto locked = catalog::set_version_guard(*connection, true); !locked) return fail(locked.error());
    }
    if (const auto printed = print_state(*settings, *connection); !printed) return fail(printed.error());
    return options.allow ? allow(invocation, *settings, *connection, options) : kExitOk;
}

}  // namespace

void add_migrate(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(
        root,
        {.name = "migrate",
         .summary = "Show the catalog's version; let a newer DuckDB change it",
         .teaching = "Without a flag it shows the version and whether it is guarded, and changes nothing.\n\n"
                     "A DuckDB that is newer than the box reads and writes the catalog as it is. Attached with\n"
                     "AUTOMATIC_MIGRATION it would move the catalog to its own version, and no DuckDB of the box's\n"
                     "age could ever open it again; a trigger in the catalog refuses that. --allow dumps the\n"
                     "catalog, asks, and lifts the trigger; --lock puts it back. --back, with the box stopped, puts\n"
                     "the dumped catalog in the migrated one's place. docs/upgrade.md has the whole story.\n\n"
                     "Examples:\n"
                     "  boathouse migrate\n"
                     "  boathouse migrate --allow --dump-to /mnt/backup/catalog.dump\n"
                     "  boathouse migrate --lock\n"
                     "  boathouse migrate --back /mnt/backup/catalog.dump"});
    accept_settings(command, invocation, {"config_file", "data_dir", "catalog", "pg_bin", "postgres_db"});
    auto options = std::make_shared<MigrateOptions>();
    auto* allowing = command.add_flag("--allow", options->allow, "Dump the catalog, then lift the guard");
    auto* locking = command.add_flag("--lock", options->lock, "Put the guard back")->excludes(allowing);
    command.add_option("--back", options->back, "A dump that is to be the catalog again; the box must be stopped")
        ->excludes(allowing)
        ->excludes(locking);
    command.add_option("--dump-to", options->dump_to, "The dump's file; default: in backups/ of the data directory")
        ->needs(allowing);
    command.add_flag("--yes", options->yes, "Do not ask")->needs(allowing);
    command.callback(
        [&invocation, options] { invocation.run = [&invocation, options] { return migrate(invocation, *options); }; });
}

}  // namespace boathouse::cli
