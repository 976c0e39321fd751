// `boathouse token create|list|revoke`: what programs show at the HTTP door instead of a password (docs/http.md).
#include <boost/json.hpp>
#include <iomanip>
#include <iostream>

#include "catalog/tokens.hpp"
#include "cli/commands.hpp"
#include "cli/keeper_connections.hpp"
#include "keeper/policy.hpp"

namespace boathouse::cli {
namespace {

struct TokenArguments {
    std::string name;
    std::string user;
    std::string expires_in;
    bool json = false;
};

// A connection to the box's database, in which there is room for tokens.
Result<catalog::Connection> connect(const Invocation& invocation) {
    auto databases = connect_to_keeper(invocation);
    if (!databases) return databases.error();
    if (auto prepared = catalog::prepare_tokens(databases->box); !prepared) return prepared.error();
    return std::move(databases->box);
}

int create(const Invocation& invocation, const TokenArguments& arguments) {
    catalog::NewToken wanted{arguments.name, arguments.user};
    if (!arguments.expires_in.empty()) {
        wanted.lifetime_seconds = config::parse_duration(arguments.expires_in);
        if (!wanted.lifetime_seconds || *wanted.lifetime_seconds <= 0) {
            return fail(Error{ErrorKind::configuration, "--expires-in is no time: " + arguments.expires_in,
                              "Say it as in 90 days, 12 hours.", ""});
        }
    }
    auto box = connect(invocation);
    if (!box) return fail(box.error());
    const auto token = catalog::make_token(*box, wanted);
    if (!token) return fail(token.error());
    if (arguments.json) {
        std::cout << boost::json::object{{"name", arguments.name}, {"user", arguments.user}, {"token", token->reveal()}}
                  << "\n";
        return kExitOk;
    }
    std::cerr << "The token of " << arguments.user << ", shown this once:\n";
    std::cout << token->reveal() << "\n";
    return kExitOk;
}

int list(const Invocation& invocation, const TokenArguments& arguments) {
    auto box = connect(invocation);
    if (!box) return fail(box.error());
    const auto tokens = catalog::read_tokens(*box);
    if (!tokens) return fail(tokens.error());
    boost::json::array array;
    for (const catalog::Token& one : *tokens) {
        boost::json::value expires_at;
        if (!one.expires_at.empty()) expires_at = one.expires_at;
        array.push_back({{"name", one.name},
                         {"user", one.user},
                         {"alive", one.is_alive},
                         {"created_at", one.created_at},
                         {"expires_at", std::move(expires_at)}});
        if (arguments.json) continue;
        std::cout << std::left << std::setw(24) << one.name << " " << std::setw(16) << one.user << " created "
                  << one.created_at << (one.expires_at.empty() ? ", does not expire" : ", expires " + one.expires_at)
                  << (one.is_alive ? "" : "  (dead)") << "\n";
    }
    if (arguments.json) std::cout << array << "\n";
    return kExitOk;
}

int revoke(const Invocation& invocation, const TokenArguments& arguments) {
    auto box = connect(invocation);
    if (!box) return fail(box.error());
    if (auto revoked = catalog::revoke_token(*box, arguments.name); !revoked) return fail(revoked.error());
    std::cerr << "Revoked " << arguments.name << "; the next request with it is refused.\n";
    return kExitOk;
}

}  // namespace

void add_token(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(
        root, {.name = "token",
               .summary = "Give programs tokens for the HTTP door",
               .teaching = "A token stands for one user at the HTTP door (Authorization: Bearer …): what the user\n"
                           "may do there, it may do, until it expires, is revoked, or the user is gone or may not\n"
                           "log in any more. It is shown once; the box keeps a digest of it.\n\n"
                           "Examples:\n"
                           "  boathouse token create shipper --user loader --expires-in '90 days'\n"
                           "  boathouse token list\n"
                           "  boathouse token revoke shipper"});
    command.require_subcommand(1);
    auto arguments = std::make_shared<TokenArguments>();
    const auto add = [&](const CommandText& text, auto body) -> CLI::App& {
        return add_part(command, invocation, text, {"config_file", "data_dir"},
                        [arguments, body](const Invocation& given) { return body(given, *arguments); });
    };
    const auto accept_name = [&](CLI::App& part) {
        part.add_option("NAME", arguments->name, "The token's name")->required();
    };
    CLI::App& creating = add({.name = "create",
                              .summary = "Make a token and print it, once",
                              .teaching = "Standard output has the token alone, so that a script can keep it."},
                             create);
    accept_name(creating);
    creating.add_option("--user", arguments->user, "The user that it stands for")->required();
    creating.add_option("--expires-in", arguments->expires_in, "How long it is good, as in '90 days'; else for ever");
    creating.add_flag("--json", arguments->json, "Print one JSON object: name, user, token");
    add({.name = "list", .summary = "Print the tokens' names, users and dates"}, list)
        .add_flag("--json", arguments->json, "Print one JSON array: name, user, alive, created_at, expires_at");
    accept_name(add({.name = "revoke", .summary = "End a token at once"}, revoke));
}

}  // namespace boathouse::cli
