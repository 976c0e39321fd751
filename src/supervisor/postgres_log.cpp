#include "supervisor/postgres_log.hpp"

#include <array>
#include <optional>
#include <string_view>

namespace boathouse::supervisor {
namespace {

enum class Severity { log, warning, error, fatal, panic, continuation };

struct SeverityWord {
    std::string_view word;
    Severity severity;
};

// PostgreSQL's severities as a log line has them (error_severity() in its elog.c), and the words of a message's further
// lines.
constexpr std::array kWords = {
    SeverityWord{"LOG:  ", Severity::log},
    SeverityWord{"INFO:  ", Severity::log},
    SeverityWord{"NOTICE:  ", Severity::log},
    SeverityWord{"DEBUG:  ", Severity::log},
    SeverityWord{"WARNING:  ", Severity::warning},
    SeverityWord{"ERROR:  ", Severity::error},
    SeverityWord{"FATAL:  ", Severity::fatal},
    SeverityWord{"PANIC:  ", Severity::panic},
    SeverityWord{"DETAIL:  ", Severity::continuation},
    SeverityWord{"HINT:  ", Severity::continuation},
    SeverityWord{"CONTEXT:  ", Severity::continuation},
    SeverityWord{"STATEMENT:  ", Severity::continuation},
};

struct Found {
    std::size_t position;
    SeverityWord word;
};

// The first severity, at the line's start or behind the session's "user@database ".
std::optional<Found> find_severity(const std::string& line) {
    std::optional<Found> first;
    for (const auto& word : kWords) {
        const auto position = line.find(word.word);
        if (position == std::string::npos || (position > 0 && line[position - 1] != ' ')) continue;
        if (!first || position < first->position) first = Found{position, word};
    }
    return first;
}

// Sessions that end, or are refused, because PostgreSQL starts or stops, or because their client is gone.
bool is_expected_end(const std::string& line) {
    for (const char* words : {"the database system is ", "due to administrator command",
                              "due to unexpected postmaster exit", "connection to client lost"}) {
        if (line.find(words) != std::string::npos) return true;
    }
    return false;
}

}  // namespace

PostgresLogLine PostgresLog::read(const std::string& line) {
    // What our own program says when it could not archive a piece of the log.
    if (line.starts_with("boathouse: ")) level_ = LogLevel::warning;
    const auto found = find_severity(line);
    if (!found || found->word.severity == Severity::continuation) return {.level = level_, .text = line};
    const bool is_session = found->position > 0;
    PostgresLogLine result{.text = line};
    switch (found->word.severity) {
        case Severity::log:
            if (!is_session) result.text = line.substr(found->word.word.size());
            break;
        case Severity::warning:
            result.level = LogLevel::warning;
            break;
        case Severity::error:
            result.level = is_session ? LogLevel::info : LogLevel::warning;
            break;
        case Severity::fatal:
            result.is_fatal = !is_session && !is_expected_end(line);
            result.level = result.is_fatal         ? LogLevel::error
                           : is_expected_end(line) ? LogLevel::info
                                                   : LogLevel::warning;
            break;
        case Severity::panic:
            result.is_fatal = true;
            result.level = LogLevel::error;
            break;
        case Severity::continuation:
            break;
    }
    level_ = result.level;
    return result;
}

}  // namespace boathouse::supervisor
