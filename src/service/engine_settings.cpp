#include "service/engine_settings.hpp"

#include "base/install_layout.hpp"
#include "config/load.hpp"
#include "config/start_log.hpp"

namespace boathouse::service {

Result<config::Settings> engine_settings() {
    auto loaded = config::load({}, config::process_environment());
    if (!loaded) return loaded.error();
    config::start_log(loaded->settings);
    if (loaded->settings.extension_dir.empty()) {
        const auto found = extension_directory();
        if (!found) return found.error();
        loaded->settings.extension_dir = found->string();
    }
    return std::move(loaded->settings);
}

}  // namespace boathouse::service
