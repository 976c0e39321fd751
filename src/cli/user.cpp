// `boathouse user …`: who may enter the lake, on every door.
#include <boost/json.hpp>
#include <iomanip>
#include <iostream>

#include "catalog/users.hpp"
#include "cli/commands.hpp"
#include "cli/password_input.hpp"
#include "cli/running_box.hpp"

namespace boathouse::cli {
namespace {

struct UserOptions {
    std::string name;
    std::string role = "writer";
    PasswordSource password;
    bool json = false;
};

// What each of the commands needs: where the box is, and a connection that may change roles.
struct Box {
    config::Settings settings;
    catalog::Connection connection;
};

Result<Box> open_box(const Invocation& invocation) {
    auto settings = read_settings(invocation);
    if (!settings) return settings.error();
    if (auto adopted = adopt_running_box(*settings); !adopted) return adopted.error();
    auto connection = connect_to_box(*settings, "postgres");
    if (!connection) return connection.error();
    return Box{std::move(*settings), std::move(*connection)};
}

// A generated password is the command's result; standard output has it alone, so that a script can keep it.
void show_generated(const PasswordInput& input) {
    if (!input.is_generated) return;
    std::cerr << "The password, shown this once:\n";
    std::cout << input.password.reveal() << "\n";
}

int add(const Invocation& invocation, const UserOptions& options) {
    auto box = open_box(invocation);
    if (!box) return fail(box.error());
    const auto input = read_password(options.password, options.name);
    if (!input) return fail(input.error());
    catalog::NewUser user{options.name, options.role, input->password};
    if (box->settings.catalog.empty()) user.mirror_database = catalog::mirror_database(box->settings);
    const auto added = catalog::add_user(box->connection, user);
    if (!added) return fail(added.error());
    std::cerr << "Added " << options.name << " as " << options.role << ".\n";
    show_generated(*input);
    return kExitOk;
}

int change_password(const Invocation& invocation, const UserOptions& options) {
    auto box = open_box(invocation);
    if (!box) return fail(box.error());
    const auto input = read_password(options.password, options.name);
    if (!input) return fail(input.error());
    const auto changed = catalog::set_user_password(box->connection, options.name, input->password);
    if (!changed) return fail(changed.error());
    std::cerr << "Changed the password of " << options.name << ".\n";
    show_generated(*input);
    return kExitOk;
}

int remove(const Invocation& invocation, const UserOptions& options) {
    auto box = open_box(invocation);
    if (!box) return fail(box.error());
    auto endpoint = catalog::box_endpoint(box->settings);
    if (!endpoint) return fail(endpoint.error());
    const auto removed = catalog::remove_user(box->connection, *endpoint, options.name);
    if (!removed) return fail(removed.error());
    std::cerr << "Removed " << options.name << "; its sessions have ended.\n";
    return kExitOk;
}

void print_json(const std::vector<catalog::User>& users) {
    boost::json::array out;
    for (const catalog::User& user : users) {
        out.push_back(boost::json::object{{"name", user.name}, {"role", user.lake_role}, {"owner", user.is_owner}});
    }
    std::cout << out << "\n";
}

int list(const Invocation& invocation, const UserOptions& options) {
    auto box = open_box(invocation);
    if (!box) return fail(box.error());
    const auto users = catalog::list_users(box->connection);
    if (!users) return fail(users.error());
    if (options.json) {
        print_json(*users);
        return kExitOk;
    }
    std::size_t width = 4;
    for (const catalog::User& user : *users) width = std::max(width, user.name.size());
    for (const catalog::User& user : *users) {
        std::cout << std::left << std::setw(static_cast<int>(width) + 2) << user.name << user.lake_role
                  << (user.is_owner ? "  (owner)" : "") << "\n";
    }
    return kExitOk;
}

using Run = int (*)(const Invocation&, const UserOptions&);

// One of the subcommands; gives it and the options that it fills.
std::pair<CLI::App*, std::shared_ptr<UserOptions>> add_user_part(CLI::App& parent, Invocation& invocation,
                                                                 const CommandText& text, Run run) {
    auto options = std::make_shared<UserOptions>();
    CLI::App& command = add_part(parent, invocation, text, {"config_file", "data_dir", "catalog"},
                                 [options, run](const Invocation& given) { return run(given, *options); });
    return {&command, options};
}

void accept_name(CLI::App& command, UserOptions& options) {
    command.add_option("NAME", options.name, "The user's name, case and all")->required();
}

void accept_password(CLI::App& command, UserOptions& options) {
    command.add_option("--password-file", options.password.file,
                       "Read the password from this file; - is standard input");
    command.add_flag("--generate", options.password.generate, "Generate the password and print it, without asking");
}

constexpr const char* kPasswords =
    "The password is asked for at a terminal, otherwise generated and printed on standard output, alone.\n\n";

}  // namespace

void add_user(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(
        root,
        {.name = "user",
         .summary = "Say who may enter the lake, and as what",
         .teaching = "Users are PostgreSQL's roles: what is done here or with CREATE ROLE and GRANT holds on every\n"
                     "door at once. Three group roles say what a user may do: lake_reader reads, lake_writer also\n"
                     "writes, creates and drops tables, lake_admin also changes the catalog itself. A user with\n"
                     "none of them enters by the SQL door alone, and does what GRANT on tables lets it do.\n"
                     "Run it as the user that runs the box, or as root, while the box runs."});
    command.require_subcommand(1);

    auto [adding, add_options] = add_user_part(
        command, invocation,
        {.name = "add",
         .summary = "Add a user",
         .teaching = std::string(kPasswords) + "Examples:\n"
                                               "  boathouse user add ana --role reader\n"
                                               "  boathouse user add loader --password-file /run/secrets/loader\n"
                                               "  password=$(boathouse user add loader --generate)"},
        add);
    accept_name(*adding, *add_options);
    adding->add_option("--role", add_options->role, "reader, writer, admin, or none: then GRANT says what")
        ->check(CLI::IsMember({"reader", "writer", "admin", "none"}).description(""))
        ->capture_default_str();
    accept_password(*adding, *add_options);

    auto [changing, change_options] = add_user_part(
        command, invocation,
        {.name = "password",
         .summary = "Give a user another password",
         .teaching =
             std::string(kPasswords) +
             "A password of POSTGRES_USER that is changed here stays, until POSTGRES_PASSWORD is given another value."},
        change_password);
    accept_name(*changing, *change_options);
    accept_password(*changing, *change_options);

    auto [removing, remove_options] = add_user_part(
        command, invocation,
        {.name = "remove",
         .summary = "End a user's sessions and remove it",
         .teaching = "What it wrote to the lake stays. Anything else that it owns goes to the database's owner."},
        remove);
    accept_name(*removing, *remove_options);

    auto [listing, list_options] =
        add_user_part(command, invocation, {.name = "list", .summary = "Print the users and their lake roles"}, list);
    listing->add_flag("--json", list_options->json, "Print one JSON array: name, role, owner");
}

}  // namespace boathouse::cli
