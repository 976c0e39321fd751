// `boathouse mirror …`: the PostgreSQL database in which SQL clients' tools see the lake.
#include <iostream>

#include "catalog/bootstrap.hpp"
#include "cli/commands.hpp"
#include "cli/running_box.hpp"

namespace boathouse::cli {
namespace {

int rebuild(const Invocation& invocation) {
    auto settings = read_settings(invocation);
    if (!settings) return fail(settings.error());
    if (auto adopted = adopt_running_box(*settings); !adopted) return fail(adopted.error());
    if (!settings->catalog.empty()) {
        return fail({ErrorKind::configuration, "A box with an external catalog has no mirror",
                     "SQL clients see DuckDB's own system catalogs.", ""});
    }
    auto connection = connect_to_box(*settings, "postgres");
    if (!connection) return fail(connection.error());
    if (auto dropped = catalog::drop_mirror(*connection, *settings); !dropped) return fail(dropped.error());
    std::cerr << "Dropped the mirror. It is made again from the lake for the next statement that needs it.\n";
    return kExitOk;
}

}  // namespace

void add_mirror(CLI::App& root, Invocation& invocation) {
    CLI::App& command =
        add_command(root, {.name = "mirror",
                           .summary = "What SQL clients' tools see of the lake",
                           .teaching = "The mirror is a PostgreSQL database with the lake's tables, empty. "
                                       "It answers \\d,\ndrivers' metadata calls and schema trees."});
    command.require_subcommand(1);
    CLI::App& rebuilding = add_command(
        command, {.name = "rebuild",
                  .summary = "Make the mirror anew from the lake",
                  .teaching = "Needed only if it does not show what the lake has. The lake is not touched.\n"
                              "Run it as the user that runs the box, or as root, while the box runs."});
    accept_settings(rebuilding, invocation, {"data_dir"});
    rebuilding.callback([&invocation] { invocation.run = [&invocation] { return rebuild(invocation); }; });
}

}  // namespace boathouse::cli
