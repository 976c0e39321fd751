// `boathouse attach-string`: what a DuckDB client runs to get in.
#include <iostream>

#include "cli/commands.hpp"
#include "cli/running_box.hpp"
#include "config/connect_strings.hpp"

namespace boathouse::cli {
namespace {

struct AttachOptions {
    std::string host;
    bool show_password = false;
};

int print_attach_string(const Invocation& invocation, const AttachOptions& options) {
    const auto read = read_settings(invocation);
    if (!read) return fail(read.error());
    config::Settings settings = *read;
    if (const Status adopted = adopt_running_box(settings); !adopted) return fail(adopted.error());
    Secret password;
    if (options.show_password) {
        const auto known = config::client_password(settings);
        if (!known) return fail(known.error());
        if (known->empty()) {
            return fail(
                {.kind = ErrorKind::not_found,
                 .message = "the password is not known here: neither POSTGRES_PASSWORD nor POSTGRES_PASSWORD_FILE "
                            "gives it, and " +
                            config::generated_password_file(settings) + " does not exist",
                 .hint = "Ask where the box was given its password, or leave out --show-password."});
        }
        password = *known;
    }
    const std::string host = options.host.empty() ? config::local_host(settings) : options.host;
    std::cout << config::attach_statement(settings, host, password) << "\n";
    if (password.empty()) {
        std::cerr << "The password is left out: --show-password puts it in, or set PGPASSWORD where the client runs.\n";
    }
    return kExitOk;
}

}  // namespace

void add_attach_string(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(
        root, {.name = "attach-string",
               .summary = "Print the ATTACH statement that a DuckDB client runs to get in",
               .teaching = "The password is left out, so that the line can be shown and shared; a client then takes it "
                           "from PGPASSWORD or\n~/.pgpass. With --show-password it is in the line, which works as it "
                           "is: treat it like the password itself.\n\n"
                           "Examples:\n"
                           "  boathouse attach-string --show-password\n"
                           "  boathouse attach-string --host lake.example.com"});
    auto options = std::make_shared<AttachOptions>();
    command.add_option("--host", options->host, "The name that clients know this machine by [default: localhost]")
        ->type_name("TEXT");
    command.add_flag("--show-password", options->show_password, "Put the password into the line");
    accept_settings(command, invocation,
                    {"config_file", "data_dir", "listen", "catalog_port", "postgres_user", "postgres_db",
                     "postgres_password_file", "catalog"});
    command.callback([&invocation, options] {
        invocation.run = [&invocation, options] { return print_attach_string(invocation, *options); };
    });
}

}  // namespace boathouse::cli
