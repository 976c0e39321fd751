#include "service/engine_settings.hpp"

#include "base/install_layout.hpp"
#include "config/start_log.hpp"

namespace boathouse::service {

Result<config::Loaded> engine_configuration() {
    auto loaded = config::load({}, config::process_environment());
    if (!loaded) return loaded.error();
    config::start_log(loaded->settings);
    if (loaded->settings.extension_dir.empty()) {
        const auto found = extension_directory();
        if (!found) return found.error();
        loaded->settings.extension_dir = found->string();
    }
    return loaded;
}

Result<config::Settings> engine_settings() {
    auto loaded = engine_configuration();
    if (!loaded) return loaded.error();
    return std::move(loaded->settings);
}

}  // namespace boathouse::service
