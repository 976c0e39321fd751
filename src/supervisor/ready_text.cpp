#include "supervisor/ready_text.hpp"

#include <spdlog/fmt/fmt.h>

#include "config/connect_strings.hpp"

namespace boathouse::supervisor {
namespace {

std::string password_line(const ReadyText& text) {
    const auto& settings = text.loaded.settings;
    if (!settings.catalog.empty()) return "as in the catalog's URL";
    const std::string file = config::generated_password_file(settings);
    if (text.password_is_new) {
        return settings.postgres_password.reveal() + "   (generated; shown this once, kept in " + file + ")";
    }
    if (text.password_is_generated) return "in " + file + "; `boathouse attach-string --show-password` shows it";
    const auto origin = text.loaded.origins.find("postgres_password");
    return origin == text.loaded.origins.end() ? "as given" : "from " + origin->second;
}

}  // namespace

std::string ready_text(const ReadyText& text) {
    const auto& settings = text.loaded.settings;
    const std::string host = config::local_host(settings);
    const Secret shown = text.password_is_new ? settings.postgres_password : Secret();
    return fmt::format(
        "\n"
        "Boathouse is ready. In any DuckDB client:\n"
        "\n"
        "  INSTALL ducklake; LOAD ducklake;\n"
        "  {}\n"
        "\n"
        "In a shell:\n"
        "\n"
        "  {}\n"
        "  curl {}\n"
        "\n"
        "Password of '{}': {}\n"
        "\n",
        config::attach_statement(settings, host, shown), config::psql_command(settings, host),
        config::health_url(settings, host), settings.postgres_user, password_line(text));
}

}  // namespace boathouse::supervisor
