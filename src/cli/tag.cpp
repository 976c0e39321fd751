// `boathouse tag …`: snapshots that stay, however old they get.
#include <boost/json.hpp>
#include <iomanip>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/keeper_connections.hpp"
#include "keeper/journal.hpp"
#include "keeper/survey.hpp"

namespace boathouse::cli {
namespace {

struct TagArguments {
    std::string name;
    long long snapshot = -1;  // -1: the newest
    bool json = false;
};

Status check_snapshot(catalog::Connection& lake, long long snapshot) {
    auto rows =
        lake.query("SELECT 1 FROM public.ducklake_snapshot WHERE snapshot_id = $1::bigint", {std::to_string(snapshot)});
    if (!rows) return rows.error();
    if (!rows->empty()) return {};
    return Error{ErrorKind::not_found, "the lake has no snapshot " + std::to_string(snapshot),
                 "It has ended, or has never been: SELECT * FROM ducklake_snapshots('lake').", ""};
}

int create(const Invocation& invocation, const TagArguments& arguments) {
    auto databases = connect_to_keeper(invocation);
    if (!databases) return fail(databases.error());
    long long snapshot = arguments.snapshot;
    if (snapshot < 0) {
        const auto newest = keeper::newest_snapshot(databases->lake);
        if (!newest) return fail(newest.error());
        snapshot = *newest;
    }
    // The tag first: a snapshot that is there after it stays.
    if (auto created = keeper::create_tag(databases->box, arguments.name, snapshot); !created)
        return fail(created.error());
    if (auto there = check_snapshot(databases->lake, snapshot); !there) {
        if (auto dropped = keeper::drop_tag(databases->box, arguments.name); !dropped) return fail(dropped.error());
        return fail(there.error());
    }
    std::cerr << "Snapshot " << snapshot << " is kept as " << arguments.name << ".\n";
    return kExitOk;
}

int drop(const Invocation& invocation, const TagArguments& arguments) {
    auto databases = connect_to_keeper(invocation);
    if (!databases) return fail(databases.error());
    if (auto dropped = keeper::drop_tag(databases->box, arguments.name); !dropped) return fail(dropped.error());
    std::cerr << "Dropped " << arguments.name << "; its snapshot ends when the policies say so.\n";
    return kExitOk;
}

int list(const Invocation& invocation, const TagArguments& arguments) {
    auto databases = connect_to_keeper(invocation);
    if (!databases) return fail(databases.error());
    const auto tags = keeper::read_tags(databases->box);
    if (!tags) return fail(tags.error());
    boost::json::array array;
    for (const keeper::Tag& tag : *tags) {
        array.push_back({{"name", tag.name}, {"snapshot", tag.snapshot}, {"created_at", tag.created_at}});
        if (!arguments.json)
            std::cout << std::left << std::setw(30) << tag.name << " " << std::setw(10) << tag.snapshot << " "
                      << tag.created_at << "\n";
    }
    if (arguments.json) std::cout << array << "\n";
    return kExitOk;
}

}  // namespace

void add_tag(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(root, {.name = "tag",
                                           .summary = "Name snapshots that are to be kept",
                                           .teaching = "Examples:\n"
                                                       "  boathouse tag create before-migration\n"
                                                       "  boathouse tag create audit-2025 --snapshot 4711\n"
                                                       "  boathouse tag drop before-migration"});
    command.require_subcommand(1);
    auto arguments = std::make_shared<TagArguments>();
    const auto add = [&](const CommandText& text, auto body) -> CLI::App& {
        return add_part(command, invocation, text, {"config_file", "data_dir"},
                        [arguments, body](const Invocation& given) { return body(given, *arguments); });
    };
    CLI::App& creating = add({.name = "create", .summary = "Keep a snapshot under a name"}, create);
    creating.add_option("name", arguments->name, "The name")->required();
    creating.add_option("--snapshot", arguments->snapshot, "Its number [default: the newest]")->type_name("NUMBER");
    add({.name = "list", .summary = "Print the names and their snapshots"}, list)
        .add_flag("--json", arguments->json, "Print one JSON array");
    add({.name = "drop", .summary = "Forget a name"}, drop).add_option("name", arguments->name, "The name")->required();
}

}  // namespace boathouse::cli
