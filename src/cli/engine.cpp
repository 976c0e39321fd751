// `boathouse engine`: runs the engine by hand, without the supervisor, on a catalog that is there.
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/install_layout.hpp"
#include "cli/commands.hpp"

namespace boathouse::cli {
namespace {

// Only returns when the engine could not be started.
int become_engine(const Invocation& invocation) {
    const auto loaded = load_settings(invocation);
    if (!loaded) return fail(loaded.error());
    const auto program = engine_executable();
    if (!program) return fail(program.error());
    for (const auto& [name, text] : config::to_environment(loaded->settings, loaded->origins)) {
        ::setenv(name.c_str(), text.c_str(), 1);
    }
    ::execl(program->c_str(), program->c_str(), "serve", static_cast<char*>(nullptr));
    return fail({.kind = ErrorKind::internal,
                 .message = program->string() + " cannot be run: " + std::strerror(errno),
                 .hint = "It belongs to the installation; install Boathouse again."});
}

}  // namespace

void add_engine(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(
        root,
        {.name = "engine",
         .summary = "Run the engine alone, on a catalog that is there; `serve` does this by itself",
         .teaching = "For looking at the engine in a debugger or profiler. It takes the settings of `serve`, and "
                     "its exit codes.\n\n"
                     "Example:\n"
                     "  boathouse engine --catalog postgresql://owner@db.example.com/lakehouse --log-level debug"});
    accept_settings(command, invocation);
    command.callback([&invocation] { invocation.run = [&invocation] { return become_engine(invocation); }; });
}

}  // namespace boathouse::cli
