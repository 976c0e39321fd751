// `boathouse version`: what this build is made of.
#include "config/version.hpp"

#include <boost/json.hpp>
#include <iostream>

#include "cli/commands.hpp"

namespace boathouse::cli {

std::string versions() {
    return std::string("boathouse ") + config::version() + "\nDuckDB " + config::duckdb_version() +
           "\nDuckLake catalog " + config::ducklake_catalog_version();
}

void add_version(CLI::App& root, Invocation& invocation) {
    CLI::App& command =
        add_command(root, {.name = "version", .summary = "Print the versions of Boathouse, DuckDB and the catalog"});
    auto json = std::make_shared<bool>(false);
    command.add_flag("--json", *json, "Print one JSON object");
    command.callback([&invocation, json] {
        invocation.run = [json] {
            if (*json) {
                std::cout << boost::json::object{{"boathouse", config::version()},
                                                 {"duckdb", config::duckdb_version()},
                                                 {"ducklake_catalog", config::ducklake_catalog_version()}}
                          << "\n";
            } else {
                std::cout << versions() << "\n";
            }
            return kExitOk;
        };
    });
}

}  // namespace boathouse::cli
