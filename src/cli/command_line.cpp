#include "cli/command_line.hpp"

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "config/options.hpp"
#include "config/suggestion.hpp"

namespace boathouse::cli {
namespace {

constexpr const char* kTeaching = R"(Examples:
  boathouse serve                                      a box for this machine, data in the default directory
  boathouse serve --data-dir ./box --sql-port 6433     somewhere else, on another port
  boathouse attach-string --show-password              what a DuckDB client runs to get in
  boathouse config show                                every setting, and where its value comes from

Settings come from flags, then the environment, then boathouse.toml; `boathouse config docs` describes them all.
Passwords and keys have no flag, because every user of a machine can read its command lines.

Exit codes:
  0   done
  1   failed
  2   the command line is wrong
  69  something that is needed does not answer: no box runs here, or it is not ready
  77  the operating system refuses: another user's files
  78  the configuration is wrong; nothing was started)";

// Wraps what CLI11 would put in one long line, and says where values come from.
class HelpFormatter : public CLI::Formatter {
  public:
    HelpFormatter() {
        column_width(34);
        label("SUBCOMMAND", "COMMAND");
    }

    std::string make_option(const CLI::Option* option, bool is_positional) const override {
        const std::string name = "  " + make_option_name(option, is_positional) + make_option_opts(option);
        return lines(name, make_option_desc(option));
    }

    std::string make_subcommand(const CLI::App* sub) const override {
        return lines("  " + sub->get_name(), sub->get_description());
    }

  private:
    // `name` and, from the column on, the words of `text` in lines that a terminal shows whole.
    std::string lines(const std::string& name, const std::string& text) const {
        constexpr std::size_t kLineWidth = 110;
        const std::size_t column = get_column_width();
        std::string out = name;
        std::size_t width = name.size();
        if (width + 2 > column) {
            out += '\n';
            width = 0;
        }
        out.append(column - width, ' ');
        width = column;
        std::istringstream words(text);
        for (std::string word; words >> word;) {
            if (width + 1 + word.size() > kLineWidth) {
                out += '\n' + std::string(column, ' ') + word;
                width = column + word.size();
            } else {
                out += (width == column ? "" : " ") + word;
                width += word.size() + 1;
            }
        }
        return out + '\n';
    }
};

// The command that the parser reached.
CLI::App* reached(CLI::App* root) {
    const auto parsed = root->get_subcommands();
    return parsed.empty() ? root : reached(parsed.back());
}

std::vector<std::string> flags_of(const CLI::App* command) {
    std::vector<std::string> out;
    for (const CLI::Option* option : command->get_options()) {
        for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
    }
    return out;
}

std::vector<std::string> subcommands_of(const CLI::App* command) {
    std::vector<std::string> out;
    for (const CLI::App* sub : command->get_subcommands({})) out.push_back(sub->get_name());
    return out;
}

// What to say of `flag`, which `command` does not know.
std::string unknown_flag(const std::string& flag, const CLI::App* command) {
    std::string key = flag.substr(std::min<std::size_t>(2, flag.size()));
    std::replace(key.begin(), key.end(), '-', '_');
    const config::Option* option = config::find_option(key);
    if (option != nullptr && option->flag.empty()) {
        const std::string variable(option->environment.front());
        const bool has_file = config::find_option(key + "_file") != nullptr;
        return "there is no " + flag + ", because every user of this machine can read a command line: set " + variable +
               (has_file ? " or " + variable + "_FILE" : "") + " in the environment";
    }
    return "unknown option " + flag + config::did_you_mean(flag, flags_of(command));
}

std::string unknown_arguments(CLI::App& root) {
    const CLI::App* command = reached(&root);
    for (const std::string& argument : root.remaining(true)) {
        if (argument.size() > 1 && argument.front() == '-') {
            return unknown_flag(argument.substr(0, argument.find('=')), command);
        }
    }
    const std::string first = root.remaining(true).front();
    const auto known = subcommands_of(command);
    if (known.empty()) return "takes no further argument, and " + std::to_string(root.remaining(true).size()) + " came";
    return "unknown command '" + first + "'" + config::did_you_mean(first, known);
}

int usage_error(CLI::App& root, const CLI::ParseError& error) {
    const CLI::App* command = reached(&root);
    const std::string what = root.remaining(true).empty() ? error.what() : unknown_arguments(root);
    std::cerr << full_name(*command) << ": " << what << "\nHint: `" << full_name(*command) << " --help`\n";
    return kExitUsage;
}

}  // namespace

std::string full_name(const CLI::App& command) {
    return command.get_parent() == nullptr ? command.get_name()
                                           : full_name(*command.get_parent()) + " " + command.get_name();
}

std::string help_of(const CLI::App& command) {
    return command.help(command.get_parent() == nullptr ? "" : full_name(*command.get_parent()));
}

std::unique_ptr<CLI::App> command_tree(Invocation& invocation) {
    auto root = std::make_unique<CLI::App>("Boathouse: a lakehouse in a box.", "boathouse");
    root->formatter(std::make_shared<HelpFormatter>());
    root->set_help_flag("--help,-h", "Show this help");
    root->set_version_flag("--version,-V", versions(), "Print the versions, as `boathouse version` does");
    root->footer(kTeaching);
    root->require_subcommand(1);
    add_serve(*root, invocation);
    add_status(*root, invocation);
    add_attach_string(*root, invocation);
    add_user(*root, invocation);
    add_token(*root, invocation);
    add_mirror(*root, invocation);
    add_policy(*root, invocation);
    add_tag(*root, invocation);
    add_consumer(*root, invocation);
    add_keeper(*root, invocation);
    add_undo(*root, invocation);
    add_backup(*root, invocation);
    add_restore(*root, invocation);
    add_migrate(*root, invocation);
    add_upgrade_postgres(*root, invocation);
    add_doctor(*root, invocation);
    add_demo(*root, invocation);
    add_config(*root, invocation);
    add_engine(*root, invocation);
    add_version(*root, invocation);
    add_completion(*root, invocation);
    add_help(*root, invocation);
    return root;
}

int run_command_line(int argc, const char* const* argv) {
    Invocation invocation;
    invocation.environment = config::process_environment();
    const auto root = command_tree(invocation);
    try {
        root->parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::cout << help_of(*reached(root.get()));
        return kExitOk;
    } catch (const CLI::CallForVersion&) {
        std::cout << versions() << "\n";
        return kExitOk;
    } catch (const CLI::ParseError& error) {
        return usage_error(*root, error);
    }
    return invocation.run();
}

}  // namespace boathouse::cli
