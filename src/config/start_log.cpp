#include "config/start_log.hpp"

#include "base/log.hpp"

namespace boathouse::config {

void start_log(const Settings& settings) {
    LogLevel level = LogLevel::info;
    if (settings.log_level == "debug") level = LogLevel::debug;
    if (settings.log_level == "warning") level = LogLevel::warning;
    if (settings.log_level == "error") level = LogLevel::error;
    log_start(level, settings.log_format == "json" ? LogFormat::json : LogFormat::text);
}

}  // namespace boathouse::config
