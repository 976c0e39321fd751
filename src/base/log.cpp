#include "base/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace boathouse {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warning:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

// The inside of a JSON string (RFC 8259, section 7).
std::string json_escaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
                } else {
                    out += c;
                }
        }
    }
    return out;
}

// Set once by log_start(), before any other thread exists.
LogFormat active_format = LogFormat::text;

}  // namespace

void log_start(LogLevel level, LogFormat format) {
    active_format = format;
    auto logger = spdlog::get("boathouse");
    if (!logger) logger = spdlog::stderr_color_mt("boathouse");
    logger->set_level(spdlog_level(level));
    logger->set_pattern(format == LogFormat::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                                  : "%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %v",
                        spdlog::pattern_time_type::utc);
    logger->flush_on(spdlog::level::debug);
    spdlog::set_default_logger(logger);
}

void log_line(LogLevel level, std::string_view part, std::string_view message) {
    auto* logger = spdlog::default_logger_raw();
    if (active_format == LogFormat::json) {
        logger->log(spdlog_level(level), R"("part":"{}","message":"{}")", part, json_escaped(message));
    } else {
        logger->log(spdlog_level(level), "{}: {}", part, message);
    }
}

void log_error(std::string_view part, const Error& error) {
    std::string line = error.message;
    if (!error.hint.empty()) line += " | hint: " + error.hint;
    if (!error.detail.empty()) line += " | detail: " + error.detail;
    log_line(LogLevel::error, part, line);
}

}  // namespace boathouse
