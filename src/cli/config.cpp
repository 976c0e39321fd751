// `boathouse config show` and `boathouse config docs`: what is set, and what can be.
#include <boost/json.hpp>
#include <iomanip>
#include <iostream>

#include "cli/commands.hpp"
#include "config/catalog_url.hpp"
#include "config/complaint.hpp"
#include "config/options.hpp"
#include "config/reference.hpp"

namespace boathouse::cli {
namespace {

constexpr const char* kMask = "********";

// The value as it may be seen; "" where there is none.
std::string shown(const config::Option& option, const config::Settings& settings) {
    std::string text = config::get_value(option, settings);
    if (!config::is_secret(option) || text.empty()) return text;
    return option.key == "catalog" && !config::has_password(text) ? text : kMask;
}

void print_json(const config::Reading& reading) {
    boost::json::object out;
    for (const config::Option& option : config::options()) {
        out[option.key] = boost::json::object{{"value", shown(option, reading.loaded.settings)},
                                              {"origin", reading.loaded.origins.at(std::string(option.key))},
                                              {"secret", config::is_secret(option)}};
    }
    std::cout << out << "\n";
}

void print_table(const config::Reading& reading) {
    std::size_t key_width = 0, value_width = 1;
    for (const config::Option& option : config::options()) {
        key_width = std::max(key_width, option.key.size());
        value_width = std::max(value_width, shown(option, reading.loaded.settings).size());
    }
    for (const config::Option& option : config::options()) {
        const std::string value = shown(option, reading.loaded.settings);
        std::cout << std::left << std::setw(static_cast<int>(key_width) + 2) << option.key
                  << std::setw(static_cast<int>(value_width) + 2) << (value.empty() ? "-" : value)
                  << reading.loaded.origins.at(std::string(option.key)) << "\n";
    }
}

// A configuration that is wrong is shown all the same: that is when one looks at it.
int show(const Invocation& invocation, bool json) {
    const config::Reading reading = config::read(invocation.flags, invocation.environment);
    json ? print_json(reading) : print_table(reading);
    std::cout.flush();
    for (const std::string& warning : reading.loaded.warnings) std::cerr << "boathouse: warning: " << warning << "\n";
    const auto complaints = reading.complaints();
    if (complaints.empty()) return kExitOk;
    Error error = config::as_error(complaints);
    error.hint = "`boathouse serve` would not start with these settings.";
    return fail(error);
}

void add_show(CLI::App& config, Invocation& invocation) {
    CLI::App& command = add_command(
        config,
        {.name = "show",
         .summary = "Print every setting, its value and where it comes from; secrets are masked",
         .teaching = "It takes the flags of `boathouse serve`, reads what that would read, and starts nothing.\n"
                     "Exit code 78 and a list of complaints on standard error when serve would refuse.\n\n"
                     "Examples:\n"
                     "  boathouse config show\n"
                     "  boathouse config show --config ./boathouse.toml --json | jq .listen"});
    accept_settings(command, invocation);
    auto json = std::make_shared<bool>(false);
    command.add_flag("--json", *json, "Print one JSON object: key -> value, origin, secret");
    command.callback([&invocation, json] { invocation.run = [&invocation, json] { return show(invocation, *json); }; });
}

void add_docs(CLI::App& config, Invocation& invocation) {
    CLI::App& command =
        add_command(config, {.name = "docs", .summary = "Print the reference of all settings as Markdown"});
    command.callback([&invocation] {
        invocation.run = [] {
            std::cout << config::reference_page();
            return kExitOk;
        };
    });
}

}  // namespace

void add_config(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(root, {.name = "config", .summary = "Show the settings, or describe them"});
    command.require_subcommand(1);
    add_show(command, invocation);
    add_docs(command, invocation);
}

}  // namespace boathouse::cli
