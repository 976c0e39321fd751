// The command line as a whole: the tree of subcommands, parsing, and what is said of a mistake.
//
// run_command_line() is all that main() calls. It returns the exit code of what was run, or kExitUsage with a message
// that names what is unknown and what was probably meant. A mistake's message never repeats a value, because it may be
// a secret that someone tried to give as a flag.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/command.hpp"

namespace boathouse::cli {

// The tree; `invocation` must outlive it.
std::unique_ptr<CLI::App> command_tree(Invocation& invocation);

// "boathouse config show"
std::string full_name(const CLI::App& command);

// What --help prints.
std::string help_of(const CLI::App& command);

int run_command_line(int argc, const char* const* argv);

}  // namespace boathouse::cli
