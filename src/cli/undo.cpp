// `boathouse undo …`: yesterday, brought back.
//
// A client of the SQL door, whose functions do the work: what the command does, SQL can do.
#include <boost/json.hpp>
#include <iostream>

#include "catalog/connection.hpp"
#include "cli/client_settings.hpp"
#include "cli/commands.hpp"
#include "config/connect_strings.hpp"

namespace boathouse::cli {
namespace {

struct UndoArguments {
    std::string name;
    long long snapshot = -1;
    long long from = -1;
    long long to = -1;
    std::string key;
    bool json = false;
};

Result<catalog::Connection> open_sql_door(const Invocation& invocation) {
    const auto settings = client_settings(invocation);
    if (!settings) return settings.error();
    catalog::Endpoint endpoint;
    endpoint.host = config::local_host(*settings);
    endpoint.port = std::to_string(settings->sql_port);
    endpoint.user = settings->postgres_user;
    endpoint.database = "lake";
    endpoint.password = settings->postgres_password;
    endpoint.application_name = "boathouse undo";
    return catalog::Connection::open(endpoint);
}

// Runs a function of the schema boathouse, whose arguments are texts, and prints its rows; to people `nothing` where
// there are none.
int call(const Invocation& invocation, bool json, const std::string& function, const std::vector<std::string>& columns,
         const std::vector<std::string>& arguments, const std::string& nothing = "") {
    auto door = open_sql_door(invocation);
    if (!door) return fail(door.error());
    std::string sql = "SELECT * FROM boathouse." + function + "(";
    for (std::size_t i = 0; i < arguments.size(); ++i) sql += (i == 0 ? "" : ", ") + door->literal(arguments[i]);
    const auto rows = door->query(sql + ")");
    if (!rows) return fail(rows.error());
    boost::json::array array;
    for (const catalog::Row& row : *rows) {
        boost::json::object object;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const std::string text = row.at(i).value_or("");
            if (row.at(i)) object[columns[i]] = text;
            if (!json) std::cout << (i == 0 ? "" : "\t") << text;
        }
        if (!json) std::cout << "\n";
        array.push_back(std::move(object));
    }
    if (json) std::cout << array << "\n";
    if (!json && rows->empty()) std::cerr << nothing << "\n";
    return kExitOk;
}

using Body = int (*)(const Invocation&, const UndoArguments&);

int list(const Invocation& invocation, const UndoArguments& given) {
    return call(invocation, given.json, "table_history",
                {"snapshot_id", "snapshot_time", "author", "message", "changes"}, {given.name},
                "No snapshot that is left has changed a table " + given.name + ".");
}

int table(const Invocation& invocation, const UndoArguments& given) {
    return call(invocation, given.json, "restore_table", {"result"}, {given.name, std::to_string(given.snapshot)});
}

int undrop(const Invocation& invocation, const UndoArguments& given) {
    return call(invocation, given.json, "undrop_table", {"result"}, {given.name});
}

int undrop_schema(const Invocation& invocation, const UndoArguments& given) {
    return call(invocation, given.json, "undrop_schema", {"result"}, {given.name});
}

int diff(const Invocation& invocation, const UndoArguments& given) {
    return call(invocation, given.json, "table_diff", {"change", "before", "after"},
                {given.name, std::to_string(given.from), std::to_string(given.to), given.key},
                "The table has the same rows in both snapshots.");
}

}  // namespace

void add_undo(CLI::App& root, Invocation& invocation) {
    CLI::App& command =
        add_command(root, {.name = "undo",
                           .summary = "See what changed a table, and bring back what was",
                           .teaching = "What is brought back is a new snapshot; nothing is overwritten.\n\n"
                                       "Examples:\n"
                                       "  boathouse undo list sales.orders\n"
                                       "  boathouse undo diff sales.orders --from 41 --to 42 --key id\n"
                                       "  boathouse undo table sales.orders --to 41\n"
                                       "  boathouse undo drop sales.orders\n"
                                       "  boathouse undo drop-schema sales"});
    command.require_subcommand(1);
    auto arguments = std::make_shared<UndoArguments>();
    const auto add = [&](const char* name, const char* summary, const char* what, Body body) -> CLI::App& {
        CLI::App& sub =
            add_part(command, invocation, {.name = name, .summary = summary},
                     {"config_file", "data_dir", "listen", "sql_port", "postgres_user", "postgres_password_file"},
                     [arguments, body](const Invocation& given) { return body(given, *arguments); });
        sub.add_option("name", arguments->name, what)->required();
        sub.add_flag("--json", arguments->json, "Print one JSON array");
        return sub;
    };
    const char* of_table = "The table: schema.table, or table in main";
    add("list", "Print the snapshots that changed a table", of_table, list);
    add("table", "Make a table as it was in a snapshot", of_table, table)
        .add_option("--to", arguments->snapshot, "The snapshot's number")
        ->required();
    add("drop", "Bring back a table or view that was dropped", of_table, undrop);
    add("drop-schema", "Bring back a schema that was dropped, with all it held", "The schema", undrop_schema);
    CLI::App& diffing = add("diff", "Print the rows in which two snapshots of a table differ", of_table, diff);
    diffing.add_option("--from", arguments->from, "The older snapshot's number")->required();
    diffing.add_option("--to", arguments->to, "The newer snapshot's number")->required();
    diffing.add_option("--key", arguments->key, "Columns that make a row the same row: id, or id,day");
}

}  // namespace boathouse::cli
