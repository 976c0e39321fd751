// The log: one line an event on standard error, for people ("text") or for machines ("json").
//
// log_start() is called once, first thing in main(); logging before it goes to standard error as text. Safe from any
// thread. A line names its part ("supervisor", "engine", "http") and never holds a secret: see secret.hpp.
#pragma once

#include <spdlog/fmt/fmt.h>

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace boathouse {

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { text, json };

void log_start(LogLevel level, LogFormat format);

// One event. `part` is the folder that speaks.
void log_line(LogLevel level, std::string_view part, std::string_view message);

// An error where it is handled: message, hint and private detail in one line.
void log_error(std::string_view part, const Error& error);

template <class... Args>
void log_info(std::string_view part, fmt::format_string<Args...> format, Args&&... args) {
    log_line(LogLevel::info, part, fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void log_warning(std::string_view part, fmt::format_string<Args...> format, Args&&... args) {
    log_line(LogLevel::warning, part, fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void log_debug(std::string_view part, fmt::format_string<Args...> format, Args&&... args) {
    log_line(LogLevel::debug, part, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace boathouse
