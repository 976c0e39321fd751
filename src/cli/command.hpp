// What a subcommand is made of. One file a subcommand: src/cli/<name>.cpp defines add_<name>(), commands.hpp declares
// it, command_line.cpp calls it, in the order of --help. A minimal one:
//
//     void add_ping(CLI::App& root, Invocation& invocation) {
//         CLI::App& command = add_command(root, {.name = "ping", .summary = "…", .teaching = "Example: …"});
//         accept_settings(command, invocation, {"data_dir", "listen"});
//         auto json = std::make_shared<bool>(false);
//         command.add_flag("--json", *json, "Print JSON");
//         command.callback([&invocation, json] { invocation.run = [&invocation, json] { return ping(invocation, *json);
//         }; });
//     }
//
// Parsing only notes what to run; run_command_line() runs it afterwards, so a mistake anywhere in the command line
// costs nothing. Results go to standard output, everything else to standard error. One thread.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "config/load.hpp"

namespace boathouse::cli {

// Exit codes of every command, from sysexits.h where it has one. --help lists them.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitUnavailable = 69;
inline constexpr int kExitPermission = 77;
inline constexpr int kExitConfiguration = 78;

int exit_code(ErrorKind kind);

// What the command line said.
struct Invocation {
    std::map<std::string, std::string> flags;  // of the option table: key -> text
    std::map<std::string, std::string> environment;
    std::function<int()> run;  // of the subcommand that was named; gives the exit code
};

struct CommandText {
    std::string name;
    std::string summary;        // the line in its parent's --help
    std::string teaching = {};  // the end of its own --help: what is good to know, examples
};

CLI::App& add_command(CLI::App& parent, const CommandText& text);

// Flags of the option table for `command`, each with its group, prose and default; what is given goes to
// invocation.flags. An empty list: all that have a flag.
void accept_settings(CLI::App& command, Invocation& invocation, const std::vector<std::string_view>& keys = {});

// A subcommand that takes flags of the option table, all where `keys` is empty, and that `run` carries out.
CLI::App& add_part(CLI::App& parent, Invocation& invocation, const CommandText& text,
                   const std::vector<std::string_view>& keys, std::function<int(const Invocation&)> run);

// The settings that the flags, the environment and the file make, checked; warnings go to standard error.
Result<config::Loaded> load_settings(const Invocation& invocation);

// The same for a command that looks at a box from outside: the values must be readable, but need not be fit to start a
// box with (a password may be missing, for one).
Result<config::Settings> read_settings(const Invocation& invocation);

// Says on standard error what went wrong; gives the exit code.
int fail(const Error& error);

}  // namespace boathouse::cli
