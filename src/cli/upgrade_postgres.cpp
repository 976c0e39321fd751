// `boathouse upgrade-postgres`: the box's own cluster, moved to a newer major version of PostgreSQL, and back.
#include <unistd.h>

#include <iostream>

#include "cli/commands.hpp"
#include "cli/stopped_box.hpp"
#include "supervisor/postgres_installation.hpp"
#include "upgrade/swap.hpp"
#include "upgrade/upgrade.hpp"

namespace boathouse::cli {
namespace {

struct UpgradeArguments {
    std::string from_bin;
    std::string to_bin;
    bool back = false;
};

Result<upgrade::UpgradeOptions> plan(const Invocation& invocation, const StoppedBox& box,
                                     const UpgradeArguments& arguments) {
    const auto major = cluster_major(box.settings);
    if (!major) return major.error();
    const std::string path = search_path(invocation);
    const auto from = supervisor::find_postgres({.pg_bin = arguments.from_bin, .path = path, .major = *major});
    if (!from) return from.error();
    const auto to = supervisor::find_postgres(
        {.pg_bin = arguments.to_bin.empty() ? box.settings.pg_bin : arguments.to_bin, .path = path, .major = {}});
    if (!to) return to.error();
    if (to->major <= from->major) {
        return Error{ErrorKind::configuration,
                     "the cluster is of PostgreSQL " + std::to_string(from->major) +
                         ", and the newest that was found is " + to->version + " in " + to->bin_dir,
                     "Install a newer one, or name the directory of its programs with --to-bin.", ""};
    }
    return upgrade::UpgradeOptions{.settings = box.settings,
                                   .from = *from,
                                   .to = *to,
                                   .os_user = box.user.name,
                                   .tell = [](const std::string& step) { std::cerr << step << "\n"; }};
}

int move_forward(const Invocation& invocation, const UpgradeArguments& arguments) {
    const auto box = take_stopped_box(invocation);
    if (!box) return fail(box.error());
    const auto options = plan(invocation, *box, arguments);
    if (!options) return fail(options.error());
    if (auto moved = upgrade::upgrade(*options); !moved) return fail(moved.error());
    const std::string data_dir = box->settings.data_dir;
    std::cout << "The catalog's cluster is of PostgreSQL " << options->to.version
              << " now. Start the box: boathouse serve --data-dir " << data_dir << "\n\n"
              << "The one of PostgreSQL " << options->from.version << " is set aside, whole, in "
              << upgrade::set_aside_name(box->pgdata(), options->from.major) << ".\n"
              << "To go back to it, without what is written from now on:\n"
              << "    boathouse upgrade-postgres --back --data-dir " << data_dir << "\n"
              << "When nobody will:\n"
              << "    rm -r " << upgrade::set_aside_name(box->pgdata(), options->from.major) << "\n";
    if (::access(config::backup_settings_file(box->settings).c_str(), F_OK) == 0) {
        std::cout << "\nThe new cluster's log begins anew: give the box another directory for its backups (backup_to), "
                     "and make a "
                     "backup.\nThe older ones are restored with PostgreSQL "
                  << options->from.major << ".\n";
    }
    return kExitOk;
}

int move_back(const Invocation& invocation) {
    const auto box = take_stopped_box(invocation);
    if (!box) return fail(box.error());
    const auto present = cluster_major(box->settings);
    if (!present) return fail(present.error());
    const auto major = upgrade::version_set_aside(box->pgdata());
    if (!major) return fail(major.error());
    if (!*major) {
        return fail({ErrorKind::not_found, "no cluster is set aside in " + box->settings.data_dir,
                     "There is one after `boathouse upgrade-postgres`, until somebody removes it.", ""});
    }
    if (auto went = upgrade::go_back(box->pgdata(), **major); !went) return fail(went.error());
    std::cout << "The catalog's cluster is the one of PostgreSQL " << **major << " again. The one of PostgreSQL "
              << *present << " is set aside in " << upgrade::set_aside_name(box->pgdata(), *present)
              << ";\n--back once more takes it into use.\n";
    return kExitOk;
}

}  // namespace

void add_upgrade_postgres(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(
        root, {.name = "upgrade-postgres",
               .summary = "Move the box's own catalog to a newer major version of PostgreSQL",
               .teaching =
                   "The box must be stopped, and both PostgreSQL installed. A new cluster is made beside the old one,\n"
                   "roles and databases are dumped into it, tables and rows are compared, and then one rename puts\n"
                   "it in use. Until then nothing is changed, and afterwards the old cluster is kept aside.\n"
                   "docs/upgrade.md has the whole story.\n\n"
                   "Examples:\n"
                   "  boathouse upgrade-postgres\n"
                   "  boathouse upgrade-postgres --to-bin /usr/lib/postgresql/18/bin\n"
                   "  boathouse upgrade-postgres --back"});
    accept_settings(command, invocation, {"config_file", "data_dir"});
    auto arguments = std::make_shared<UpgradeArguments>();
    command.add_option("--from-bin", arguments->from_bin,
                       "The programs of the cluster's PostgreSQL; default: looked for");
    command.add_option("--to-bin", arguments->to_bin,
                       "The programs of the newer one; default: the newest that is found");
    command.add_flag("--back", arguments->back, "Take the cluster that was set aside into use again");
    command.callback([&invocation, arguments] {
        invocation.run = [&invocation, arguments] {
            return arguments->back ? move_back(invocation) : move_forward(invocation, *arguments);
        };
    });
}

}  // namespace boathouse::cli
