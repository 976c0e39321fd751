// boathouse-engine: what runs DuckDB. Started by the supervisor, which hands it the settings through the environment.
#include <cstdio>
#include <string_view>

#include "service/count_lake.hpp"
#include "service/demo.hpp"
#include "service/probe.hpp"
#include "service/serve.hpp"

namespace {

int usage() {
    std::fputs(
        "usage: boathouse-engine serve | probe | count-lake | read-lake | demo CSV_DIR\n"
        "\n"
        "serve       open the lake and its HTTP door, until SIGTERM\n"
        "probe       say as JSON whether DuckDB, the data path and the lake work from here\n"
        "count-lake  say as JSON how many rows each table has\n"
        "read-lake   the same, having read every value\n"
        "demo        load the flights in CSV_DIR into the lake, as a client of a running box\n"
        "\n"
        "Settings come from the environment alone; `boathouse serve` starts this program with the right ones.\n",
        stderr);
    return 64;  // EX_USAGE
}

}  // namespace

int main(int argument_count, char** arguments) {
    const std::string_view command = argument_count > 1 ? arguments[1] : "";
    if (command == "demo" && argument_count == 3) return boathouse::service::demo(arguments[2]);
    if (argument_count != 2) return usage();
    if (command == "serve") return boathouse::service::serve();
    if (command == "probe") return boathouse::service::probe();
    if (command == "count-lake") return boathouse::service::count_lake(boathouse::engine::ReadDepth::rows);
    if (command == "read-lake") return boathouse::service::count_lake(boathouse::engine::ReadDepth::values);
    return usage();
}
