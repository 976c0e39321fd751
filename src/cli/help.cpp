// `boathouse help [COMMAND …]`: the same as --help behind the command.
#include <iostream>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "config/suggestion.hpp"

namespace boathouse::cli {
namespace {

int print_help(const CLI::App& root, const std::vector<std::string>& path) {
    const CLI::App* command = &root;
    for (const std::string& word : path) {
        const CLI::App* next = nullptr;
        std::vector<std::string> known;
        for (const CLI::App* sub : command->get_subcommands({})) {
            known.push_back(sub->get_name());
            if (sub->get_name() == word) next = sub;
        }
        if (next == nullptr) {
            std::cerr << full_name(*command) << ": unknown command '" << word << "'"
                      << config::did_you_mean(word, known) << "\n";
            return kExitUsage;
        }
        command = next;
    }
    std::cout << help_of(*command);
    return kExitOk;
}

}  // namespace

void add_help(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(root, {.name = "help", .summary = "Show the help of a command"});
    auto path = std::make_shared<std::vector<std::string>>();
    command.add_option("command", *path, "The command, word by word")->type_name("");
    command.callback(
        [&root, &invocation, path] { invocation.run = [&root, path] { return print_help(root, *path); }; });
}

}  // namespace boathouse::cli
