// `boathouse serve`: runs the box.
#include "base/log.hpp"
#include "cli/commands.hpp"
#include "config/start_log.hpp"
#include "supervisor/supervisor.hpp"

namespace boathouse::cli {
namespace {

int serve(const Invocation& invocation) {
    const auto loaded = config::load(invocation.flags, invocation.environment);
    if (!loaded) return fail(loaded.error());
    config::start_log(loaded->settings);
    for (const std::string& warning : loaded->warnings) log_warning("config", "{}", warning);
    return supervisor::run(*loaded);
}

}  // namespace

void add_serve(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(
        root, {.name = "serve",
               .summary = "Run the box: the catalog, the engine, the doors",
               .teaching =
                   "It stays in the foreground and logs to standard error. Once a query on the lake has succeeded, it "
                   "prints\non standard output what to copy: the ATTACH statement, the psql command, the health URL.\n"
                   "SIGTERM or Ctrl-C stops it; a second one does not wait for running statements.\n\n"
                   "Without a password it serves this machine only, with a generated one that is shown once.\n\n"
                   "Examples:\n"
                   "  boathouse serve\n"
                   "  POSTGRES_PASSWORD_FILE=/run/secrets/password boathouse serve --listen 0.0.0.0\n"
                   "  AWS_REGION=eu-central-1 boathouse serve --data-path s3://my-bucket/lake/\n\n"
                   "Exit codes:\n"
                   "  0   asked to stop, and stopped\n"
                   "  1   failed: a port, a disk, a process that keeps dying; the log says which\n"
                   "  78  the configuration is wrong; the message lists all that is"});
    accept_settings(command, invocation);
    command.callback([&invocation] { invocation.run = [&invocation] { return serve(invocation); }; });
}

}  // namespace boathouse::cli
