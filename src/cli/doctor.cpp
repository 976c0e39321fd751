// `boathouse doctor`: what keeps a client from the lake, or will, and what to do about it.
#include <spdlog/fmt/fmt.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/doctor_finding.hpp"
#include "cli/readiness.hpp"
#include "cli/running_box.hpp"

namespace boathouse::cli {
namespace {

constexpr const char* kTeaching =
    R"(Without --host it examines the box on this machine, with it one elsewhere, as a client sees it:
  boathouse doctor                                   on the box's machine
  boathouse doctor --host lake.example.com           from a client's; asks for the password
  PGPASSWORD=… boathouse doctor --host … --json      for a script

For a lake on S3 the client's own access is tried: set S3_ENDPOINT, AWS_REGION and the keys as the client has them.
Nothing is changed; one small object or unnamed file is written to the data path and deleted.
Exit code 1 when something does not work.)";

struct Flags {
    std::string host;
    std::string port;
    std::string user;
    std::string database;
    bool json = false;
};

const char* level_name(Level level) {
    switch (level) {
        case Level::ok:
            return "ok";
        case Level::note:
            return "note";
        case Level::warning:
            return "warning";
        case Level::failure:
            return "failure";
        case Level::skipped:
            return "skipped";
    }
    return "";
}

// Read from the terminal, unseen. Empty without one.
Secret prompt_password(const std::string& user) {
    if (::isatty(STDIN_FILENO) == 0) return Secret();
    std::cerr << "Password of " << user << ": " << std::flush;
    termios shown{};
    ::tcgetattr(STDIN_FILENO, &shown);
    termios hidden = shown;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    std::string password;
    std::getline(std::cin, password);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    std::cerr << "\n";
    return Secret(std::move(password));
}

Secret find_password(const config::Settings& settings, const Flags& flags, const Invocation& invocation) {
    const auto pgpassword = invocation.environment.find("PGPASSWORD");
    if (pgpassword != invocation.environment.end()) return Secret(pgpassword->second);
    if (!settings.postgres_password.empty()) return settings.postgres_password;
    if (flags.host.empty()) {
        // The one that the box generated; only its user and root may read it.
        std::ifstream file(config::secrets_dir(settings) + "/postgres_password");
        std::string password;
        if (std::getline(file, password) && !password.empty()) return Secret(std::move(password));
    }
    return prompt_password(flags.user.empty() ? settings.postgres_user : flags.user);
}

Result<catalog::Endpoint> find_endpoint(const config::Settings& settings, const Flags& flags,
                                        const Invocation& invocation) {
    if (flags.host.empty() && !settings.catalog.empty()) return catalog::box_endpoint(settings);
    catalog::Endpoint endpoint;
    endpoint.host = flags.host.empty() ? reachable_host(settings.listen) : flags.host;
    endpoint.port = flags.port.empty() ? std::to_string(settings.catalog_port) : flags.port;
    endpoint.user = flags.user.empty() ? settings.postgres_user : flags.user;
    endpoint.database = flags.database.empty() ? settings.postgres_db : flags.database;
    endpoint.password = find_password(settings, flags, invocation);
    endpoint.application_name = "boathouse doctor";
    return endpoint;
}

void print(const Findings& findings, bool as_json) {
    if (as_json) {
        boost::json::array list;
        for (const auto& finding : findings) {
            list.push_back(boost::json::object{{"check", finding.check},
                                               {"level", level_name(finding.level)},
                                               {"message", finding.message},
                                               {"hint", finding.hint}});
        }
        std::cout << boost::json::object{{"findings", list}} << "\n";
        return;
    }
    for (const auto& finding : findings) {
        std::cout << fmt::format("{:<8} {:<11} {}\n", level_name(finding.level), finding.check, finding.message);
        if (!finding.hint.empty() && finding.level != Level::ok)
            std::cout << fmt::format("{:<21}-> {}\n", "", finding.hint);
    }
}

int examine(const Invocation& invocation, const Flags& flags) {
    auto settings = read_settings(invocation);
    if (!settings) return fail(settings.error());
    if (flags.host.empty()) {
        if (const Status adopted = adopt_running_box(*settings); !adopted) return fail(adopted.error());
    }
    const auto endpoint = find_endpoint(*settings, flags, invocation);
    if (!endpoint) return fail(endpoint.error());
    Findings findings;
    if (flags.host.empty()) check_box(*settings, findings);
    if (auto connection = check_way_in(*endpoint, findings)) {
        check_catalog(*connection, findings);
        check_engine(*settings, *endpoint, findings);
    }
    const bool is_local = flags.host.empty();
    check_http({.host = is_local ? reachable_host(settings->listen) : flags.host, .port = settings->http_port},
               is_local, findings);
    check_client(*settings, findings);
    print(findings, flags.json);
    const bool failed = std::any_of(findings.begin(), findings.end(),
                                    [](const Finding& finding) { return finding.level == Level::failure; });
    return failed ? kExitFailed : kExitOk;
}

}  // namespace

void add_doctor(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(root, {.name = "doctor",
                                           .summary = "Find what keeps clients from the lake, and say what to do",
                                           .teaching = kTeaching});
    accept_settings(command, invocation, {"config_file", "data_dir", "listen", "catalog_port", "http_port"});
    auto flags = std::make_shared<Flags>();
    command.add_option("--host", flags->host, "Examine the box on this host, as a client");
    command.add_option("--port", flags->port, "Its catalog's port");
    command.add_option("--user", flags->user, "User to log in as");
    command.add_option("--database", flags->database, "The catalog's database");
    command.add_flag("--json", flags->json, "Print one JSON object");
    command.callback(
        [&invocation, flags] { invocation.run = [&invocation, flags] { return examine(invocation, *flags); }; });
}

}  // namespace boathouse::cli
