// `boathouse consumer list|drop`: readers of changes that are known by a name (docs/changes.md).
#include <algorithm>
#include <boost/json.hpp>
#include <iomanip>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/keeper_connections.hpp"
#include "feed/consumers.hpp"
#include "keeper/survey.hpp"

namespace boathouse::cli {
namespace {

struct ConsumerArguments {
    std::string name;
    bool json = false;
};

int list(const Invocation& invocation, const ConsumerArguments& arguments) {
    auto databases = connect_to_keeper(invocation);
    if (!databases) return fail(databases.error());
    const auto newest = keeper::newest_snapshot(databases->lake);
    if (!newest) return fail(newest.error());
    const auto consumers = feed::read_consumers(databases->box);
    if (!consumers) return fail(consumers.error());
    boost::json::array array;
    for (const feed::Consumer& one : *consumers) {
        const std::string table = one.schema + "." + one.table;
        const std::string position = feed::to_text(one.position);
        const long long lag = std::max(0LL, *newest + 1 - one.position.snapshot);
        array.push_back({{"name", one.name},
                         {"owner", one.owner},
                         {"table", table},
                         {"position", position},
                         {"lag", lag},
                         {"acknowledged_at", one.acknowledged_at}});
        if (arguments.json) continue;
        std::cout << std::left << std::setw(24) << one.name << " " << std::setw(16) << one.owner << " " << std::setw(24)
                  << table << " at " << std::setw(12) << position << " " << lag << " snapshots to go, acknowledged "
                  << one.acknowledged_at << "\n";
    }
    if (arguments.json) std::cout << array << "\n";
    return kExitOk;
}

int drop(const Invocation& invocation, const ConsumerArguments& arguments) {
    auto databases = connect_to_keeper(invocation);
    if (!databases) return fail(databases.error());
    if (auto dropped = feed::drop_consumer(databases->box, arguments.name); !dropped) return fail(dropped.error());
    std::cerr << "Dropped " << arguments.name << "; snapshots that it has not read end when the policies say so.\n";
    return kExitOk;
}

}  // namespace

void add_consumer(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(root, {.name = "consumer",
                                           .summary = "Look after those who read the lake's changes by name",
                                           .teaching = "Examples:\n"
                                                       "  boathouse consumer list\n"
                                                       "  boathouse consumer drop warehouse-sync"});
    command.require_subcommand(1);
    auto arguments = std::make_shared<ConsumerArguments>();
    const auto add = [&](const CommandText& text, auto body) -> CLI::App& {
        return add_part(command, invocation, text, {"config_file", "data_dir"},
                        [arguments, body](const Invocation& given) { return body(given, *arguments); });
    };
    add({.name = "list", .summary = "Print the consumers, and how far each has come"}, list)
        .add_flag("--json", arguments->json, "Print one JSON array");
    add({.name = "drop", .summary = "Forget a consumer"}, drop)
        .add_option("name", arguments->name, "The name")
        ->required();
}

}  // namespace boathouse::cli
