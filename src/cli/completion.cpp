// `boathouse completion bash|zsh|fish`: scripts for the shells, made from the tree of commands, so that they know every
// command and every flag of this very program.
#include <functional>
#include <iostream>

#include "cli/commands.hpp"

namespace boathouse::cli {
namespace {

struct Word {
    std::string text;         // a subcommand's name or a flag
    std::string description;  // one line
    std::string values;       // "a b c" to choose from; empty: free
    bool takes_value = false;
    bool is_file = false;
    bool is_directory = false;
};

// What may follow one command.
struct Level {
    std::string path;  // "" for the root, " config show"
    std::vector<Word> commands;
    std::vector<Word> flags;
    std::string values;  // of its own argument
};

// "off|on|require" -> "off on require"; "" when the type names no choices.
std::string choices(const std::string& type_name) {
    if (type_name.find('|') == std::string::npos) return "";
    std::string out = type_name;
    for (char& c : out) c = c == '|' ? ' ' : c;
    return out;
}

void collect(const CLI::App& command, const std::string& path, std::vector<Level>& levels) {
    Level level{.path = path, .commands = {}, .flags = {}, .values = {}};
    for (const CLI::Option* option : command.get_options()) {
        const std::string type = option->get_type_name();
        if (option->get_positional()) level.values = choices(type);
        for (const std::string& name : option->get_lnames()) {
            level.flags.push_back({.text = "--" + name,
                                   .description = option->get_description(),
                                   .values = choices(type),
                                   .takes_value = option->get_items_expected_max() > 0,
                                   .is_file = type == "FILE",
                                   .is_directory = type == "DIRECTORY"});
        }
    }
    const auto subcommands = command.get_subcommands({});
    for (const CLI::App* sub : subcommands) {
        level.commands.push_back({.text = sub->get_name(), .description = sub->get_description(), .values = {}});
    }
    levels.push_back(level);
    for (const CLI::App* sub : subcommands) collect(*sub, path + " " + sub->get_name(), levels);
}

std::vector<Level> levels_of(const CLI::App& root) {
    std::vector<Level> out;
    collect(root, "", out);
    return out;
}

std::string joined(const std::vector<Level>& levels, const std::string& separator) {
    std::string out;
    for (const Level& level : levels) {
        if (!level.path.empty()) out += (out.empty() ? "" : separator) + ("'" + level.path + "'");
    }
    return out;
}

std::string quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
    return out + "'";
}

// The case labels of bash and zsh after which a value comes, each with the command that completes it.
std::string value_cases(const std::vector<Level>& levels, const std::function<std::string(const Word&)>& complete) {
    std::string out;
    for (const Level& level : levels) {
        for (const Word& flag : level.flags) {
            if (!flag.takes_value) continue;
            out += "        '" + level.path + " " + flag.text + "') " + complete(flag) + "; return ;;\n";
        }
    }
    return out;
}

std::string bash_script(const std::vector<Level>& levels) {
    const auto complete = [](const Word& flag) -> std::string {
        if (flag.is_file) return "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$current\")";
        if (flag.is_directory) return "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$current\")";
        return "mapfile -t COMPREPLY < <(compgen -W '" + flag.values + "' -- \"$current\")";
    };
    std::string out =
        "# bash completion for boathouse, made by `boathouse completion bash`.\n"
        "_boathouse() {\n"
        "    local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\" at='' word words=''\n"
        "    [[ $previous == = ]] && previous=\"${COMP_WORDS[COMP_CWORD-2]}\"  # --flag=value comes as three words\n"
        "    [[ $current == = ]] && current=''\n"
        "    COMPREPLY=()\n"
        "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
        "        case \"$at $word\" in\n"
        "        " +
        joined(levels, "|") +
        ") at=\"$at $word\" ;;\n"
        "        esac\n"
        "    done\n"
        "    case \"$at $previous\" in\n" +
        value_cases(levels, complete) +
        "    esac\n"
        "    case \"$at\" in\n";
    for (const Level& level : levels) {
        std::string words = level.values;
        for (const Word& word : level.commands) words += " " + word.text;
        for (const Word& word : level.flags) words += " " + word.text;
        out += "        '" + level.path + "') words='" + words + "' ;;\n";
    }
    return out +
           "    esac\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
           "}\n"
           "complete -F _boathouse boathouse\n";
}

std::string zsh_script(const std::vector<Level>& levels) {
    const auto complete = [](const Word& flag) -> std::string {
        if (flag.is_file) return "_files";
        if (flag.is_directory) return "_files -/";
        return flag.values.empty() ? "_message 'value'" : "compadd -- " + flag.values;
    };
    std::string out =
        "#compdef boathouse\n"
        "# zsh completion for boathouse, made by `boathouse completion zsh`.\n"
        "_boathouse() {\n"
        "    local at='' word\n"
        "    local -a candidates\n"
        "    for word in \"${(@)words[2,CURRENT-1]}\"; do\n"
        "        case \"$at $word\" in\n"
        "        " +
        joined(levels, "|") +
        ") at=\"$at $word\" ;;\n"
        "        esac\n"
        "    done\n"
        "    case \"$at ${words[CURRENT-1]}\" in\n" +
        value_cases(levels, complete) +
        "    esac\n"
        "    case \"$at\" in\n";
    for (const Level& level : levels) {
        out += "        '" + level.path + "') candidates=(" + level.values;
        for (const auto* list : {&level.commands, &level.flags}) {
            for (const Word& word : *list) out += "\n            " + quoted(word.text + ":" + word.description);
        }
        out += ") ;;\n";
    }
    return out +
           "    esac\n"
           "    _describe 'boathouse' candidates\n"
           "}\n"
           "compdef _boathouse boathouse\n";
}

std::string fish_line(const Level& level, const std::string& rest, const Word& word) {
    return "complete -c boathouse -n \"__boathouse_at '" + level.path + "'\" " + rest + " -d " +
           quoted(word.description) + "\n";
}

std::string fish_script(const std::vector<Level>& levels) {
    std::string out =
        "# fish completion for boathouse, made by `boathouse completion fish`.\n"
        "function __boathouse_at\n"
        "    set -l at ''\n"
        "    for word in (commandline -opc)[2..-1]\n"
        "        switch \"$at $word\"\n"
        "            case " +
        joined(levels, " ") +
        "\n"
        "                set at \"$at $word\"\n"
        "        end\n"
        "    end\n"
        "    test \"$at\" = \"$argv[1]\"\n"
        "end\n"
        "complete -c boathouse -f\n";
    for (const Level& level : levels) {
        if (!level.values.empty()) out += fish_line(level, "-a " + quoted(level.values), {});
        for (const Word& word : level.commands) out += fish_line(level, "-a " + word.text, word);
        for (const Word& word : level.flags) {
            std::string rest = "-l " + word.text.substr(2);
            if (word.is_file || word.is_directory) {
                rest += " -r -F";
            } else if (word.takes_value) {
                rest += " -x" + (word.values.empty() ? "" : " -a " + quoted(word.values));
            }
            out += fish_line(level, rest, word);
        }
    }
    return out;
}

}  // namespace

void add_completion(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(
        root, {.name = "completion",
               .summary = "Print a script that completes commands and flags in your shell",
               .teaching = "Examples:\n"
                           "  source <(boathouse completion bash)                      for this bash, or in ~/.bashrc\n"
                           "  boathouse completion zsh > \"${fpath[1]}/_boathouse\"      for every zsh from now on\n"
                           "  boathouse completion fish > ~/.config/fish/completions/boathouse.fish"});
    auto shell = std::make_shared<std::string>();
    command.add_option("shell", *shell, "Which shell")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""))
        ->type_name("bash|zsh|fish");
    command.callback([&root, &invocation, shell] {
        invocation.run = [&root, shell] {
            const auto levels = levels_of(root);
            std::cout << (*shell == "bash"  ? bash_script(levels)
                          : *shell == "zsh" ? zsh_script(levels)
                                            : fish_script(levels));
            return kExitOk;
        };
    });
}

}  // namespace boathouse::cli
