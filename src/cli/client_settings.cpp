#include "cli/client_settings.hpp"

#include "cli/running_box.hpp"
#include "config/connect_strings.hpp"

namespace boathouse::cli {

Result<config::Settings> client_settings(const Invocation& invocation) {
    auto settings = read_settings(invocation);
    if (!settings) return settings.error();
    if (const Status adopted = adopt_running_box(*settings); !adopted) return adopted.error();
    if (settings->catalog.empty() && settings->postgres_password.empty()) {
        const auto password = config::client_password(*settings);
        if (!password) return password.error();
        if (password->empty()) {
            return Error{.kind = ErrorKind::configuration,
                         .message = "the password of " + settings->postgres_user + " is not known here",
                         .hint = "Set POSTGRES_PASSWORD as it was set for the box."};
        }
        settings->postgres_password = *password;
    }
    return settings;
}

}  // namespace boathouse::cli
