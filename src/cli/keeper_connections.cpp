#include "cli/keeper_connections.hpp"

#include "cli/running_box.hpp"

namespace boathouse::cli {

Result<keeper::Connections> connect_to_keeper(const Invocation& invocation) {
    auto settings = read_settings(invocation);
    if (!settings) return settings.error();
    return connect_to_keeper(std::move(*settings));
}

Result<keeper::Connections> connect_to_keeper(config::Settings settings) {
    if (auto adopted = adopt_running_box(settings); !adopted) return adopted.error();
    // Says by itself what is wrong where no box answers.
    if (auto reached = connect_to_box(settings); !reached) return reached.error();
    return keeper::open_connections(settings);
}

}  // namespace boathouse::cli
