#include "cli/command.hpp"

#include <algorithm>
#include <iostream>

#include "config/complaint.hpp"
#include "config/options.hpp"

namespace boathouse::cli {
namespace {

std::string first_sentence(std::string_view prose) {
    const auto end = prose.find(". ");
    return std::string(end == std::string_view::npos ? prose.substr(0, prose.size() - 1) : prose.substr(0, end));
}

// What stands behind the flag in --help.
std::string value_name(const config::Option& option) {
    if (config::is_number(option)) return "NUMBER";
    if (config::is_boolean(option)) return "true|false";
    if (!option.choices.empty()) {
        std::string out;
        for (const auto choice : option.choices) out += (out.empty() ? "" : "|") + std::string(choice);
        return out;
    }
    switch (option.shape) {
        case config::Shape::text:
            return "TEXT";
        case config::Shape::file:
            return "FILE";
        case config::Shape::directory:
            return "DIRECTORY";
    }
    return "TEXT";
}

std::string help_line(const config::Option& option) {
    std::string out = first_sentence(option.prose);
    const std::string standard(option.default_text.empty() ? option.default_note : option.default_text);
    if (!standard.empty()) out += " [default: " + standard + "]";
    out.erase(std::remove(out.begin(), out.end(), '`'), out.end());
    return out;
}

}  // namespace

int exit_code(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::configuration:
            return kExitConfiguration;
        case ErrorKind::unavailable:
            return kExitUnavailable;
        case ErrorKind::permission:
            return kExitPermission;
        case ErrorKind::not_found:
        case ErrorKind::conflict:
        case ErrorKind::corrupt:
        case ErrorKind::limit:
        case ErrorKind::internal:
            return kExitFailed;
    }
    return kExitFailed;
}

CLI::App& add_command(CLI::App& parent, const CommandText& text) {
    CLI::App& command = *parent.add_subcommand(text.name, text.summary);
    command.group("Commands");
    command.footer(text.teaching);
    return command;
}

void accept_settings(CLI::App& command, Invocation& invocation, const std::vector<std::string_view>& keys) {
    for (const config::Option& option : config::options()) {
        const bool wanted = keys.empty() || std::find(keys.begin(), keys.end(), option.key) != keys.end();
        if (!wanted || option.flag.empty()) continue;
        const std::string key(option.key);
        const auto note = [&invocation, key](const std::string& text) { invocation.flags[key] = text; };
        command.add_option_function<std::string>(std::string(option.flag), note, help_line(option))
            ->type_name(value_name(option))
            ->group(keys.empty() ? std::string(option.group) : "The box");
    }
}

CLI::App& add_part(CLI::App& parent, Invocation& invocation, const CommandText& text,
                   const std::vector<std::string_view>& keys, std::function<int(const Invocation&)> run) {
    CLI::App& command = add_command(parent, text);
    accept_settings(command, invocation, keys);
    command.callback(
        [&invocation, run = std::move(run)] { invocation.run = [&invocation, run] { return run(invocation); }; });
    return command;
}

Result<config::Loaded> load_settings(const Invocation& invocation) {
    auto loaded = config::load(invocation.flags, invocation.environment);
    if (loaded) {
        for (const std::string& warning : loaded->warnings) std::cerr << "boathouse: warning: " << warning << "\n";
    }
    return loaded;
}

Result<config::Settings> read_settings(const Invocation& invocation) {
    const config::Reading reading = config::read(invocation.flags, invocation.environment);
    if (!reading.malformed.empty()) return config::as_error(reading.malformed);
    return reading.loaded.settings;
}

int fail(const Error& error) {
    std::cerr << "boathouse: " << error.text() << "\n";
    return exit_code(error.kind);
}

}  // namespace boathouse::cli
