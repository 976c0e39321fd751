// `boathouse policy …`: what the keeper is to do with the lake, a schema or a table.
#include "config/policy.hpp"

#include <boost/json.hpp>
#include <iomanip>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/keeper_connections.hpp"

namespace boathouse::cli {
namespace {

using keeper::Scope;

struct PolicyArguments {
    std::string key;
    std::string value;
    std::string target;  // "", "schema" or "schema.table"
    bool json = false;
};

Result<Scope> scope_of(const std::string& target) {
    if (target.empty()) return Scope{};
    if (auto scope = config::parse_scope(target)) return *scope;
    return Error{ErrorKind::configuration, "'" + target + "' names neither a schema nor a table",
                 "Give --for sales or --for sales.orders; a name with a dot or a space in it stands in double quotes: "
                 "--for '\"my.schema\".orders'.",
                 ""};
}

// "default"; else whom it is for, and where it comes from: "lake, set", "schema sales, /etc/boathouse.toml:12".
std::string origin_of(const keeper::Policies& policies, const config::PolicyRow& row, const Scope& scope) {
    const keeper::PolicySetting* found = policies.find(row.key, scope);
    if (found == nullptr) return "default";
    const bool is_default = row.kind != config::PolicyKind::window &&
                            policies.value(row.key, scope) == keeper::Policies().value(row.key, scope);
    // The lake's creation writes down a default too.
    if (is_default && found->origin == "set" && found->scope == Scope{}) return "default";
    return to_text(found->scope) + ", " + found->origin;
}

void print_rows(const keeper::Policies& policies, const Scope& scope) {
    for (const config::PolicyRow& row : config::policy_rows()) {
        if (row.lake_wide && !scope.schema.empty()) continue;
        std::cout << std::left << std::setw(18) << row.key << std::setw(14) << policies.text(row.key, scope) << "  ("
                  << origin_of(policies, row, scope) << ")\n"
                  << std::setw(18) << "" << row.prose << "\n";
    }
    if (!scope.schema.empty()) return;
    for (const keeper::PolicySetting& setting : policies.for_parts()) {
        std::cout << std::setw(18) << setting.key << std::setw(14) << setting.value << "  (" << to_text(setting.scope)
                  << ", " << setting.origin << ")\n";
    }
}

void print_json(const keeper::Policies& policies, const Scope& scope) {
    boost::json::object values, origins;
    for (const config::PolicyRow& row : config::policy_rows()) {
        values[row.key] = policies.text(row.key, scope);
        origins[row.key] = origin_of(policies, row, scope);
    }
    boost::json::array set;
    for (const keeper::PolicySetting& setting : policies.settings()) {
        set.push_back({{"policy", setting.key},
                       {"schema", setting.scope.schema},
                       {"table", setting.scope.table},
                       {"value", setting.value},
                       {"origin", setting.origin}});
    }
    std::cout << boost::json::object{{"scope", to_text(scope)}, {"values", values}, {"origins", origins}, {"set", set}}
              << "\n";
}

int show(const Invocation& invocation, const PolicyArguments& arguments) {
    const auto scope = scope_of(arguments.target);
    if (!scope) return fail(scope.error());
    auto databases = connect_to_keeper(invocation);
    if (!databases) return fail(databases.error());
    const auto policies = keeper::read_policies(databases->both());
    if (!policies) return fail(policies.error());
    arguments.json ? print_json(*policies, *scope) : print_rows(*policies, *scope);
    return kExitOk;
}

int change(const Invocation& invocation, const PolicyArguments& arguments, bool set) {
    const auto scope = scope_of(arguments.target);
    if (!scope) return fail(scope.error());
    auto databases = connect_to_keeper(invocation);
    if (!databases) return fail(databases.error());
    const auto changed = set ? keeper::set_policy(databases->both(), {arguments.key, *scope, arguments.value})
                             : keeper::unset_policy(databases->both(), arguments.key, *scope);
    if (!changed) return fail(changed.error());
    std::cerr << arguments.key << (set ? " is " + arguments.value : " is no longer set") << " for the "
              << to_text(*scope) << ".\n";
    if (set) return kExitOk;
    const auto left = keeper::read_policies(databases->both());
    const keeper::PolicySetting* found = left ? left->find(arguments.key, *scope) : nullptr;
    if (found != nullptr && found->scope == *scope)
        std::cerr << "It is " << found->value << " by " << found->origin << ".\n";
    return kExitOk;
}

int set(const Invocation& invocation, const PolicyArguments& arguments) {
    return change(invocation, arguments, true);
}

int unset(const Invocation& invocation, const PolicyArguments& arguments) {
    return change(invocation, arguments, false);
}

}  // namespace

void add_policy(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(root, {.name = "policy",
                                           .summary = "Say what the keeper does with the lake, a schema or a table",
                                           .teaching = "Examples:\n"
                                                       "  boathouse policy show\n"
                                                       "  boathouse policy set snapshot_age '7 days'\n"
                                                       "  boathouse policy set merge_files off --for sales.orders\n"
                                                       "  boathouse policy unset merge_files --for sales.orders"});
    command.require_subcommand(1);
    auto arguments = std::make_shared<PolicyArguments>();
    const auto add = [&](const CommandText& text, auto body) -> CLI::App& {
        CLI::App& part = add_part(command, invocation, text, {"config_file", "data_dir"},
                                  [arguments, body](const Invocation& given) { return body(given, *arguments); });
        part.add_option("--for", arguments->target, "Schema, or schema.table [default: the lake]")->type_name("NAME");
        return part;
    };
    add({.name = "show", .summary = "Print the policies that count"}, show)
        .add_flag("--json", arguments->json, "Print one JSON object");
    CLI::App& setting = add({.name = "set", .summary = "Set a policy; off turns it off"}, set);
    setting.add_option("policy", arguments->key, "Its name")->required();
    setting.add_option("value", arguments->value, "'7 days', 128MB, 16, 0.25 or off")->required();
    add({.name = "unset", .summary = "Let the default, or what is set above, count"}, unset)
        .add_option("policy", arguments->key, "Its name")
        ->required();
}

}  // namespace boathouse::cli
