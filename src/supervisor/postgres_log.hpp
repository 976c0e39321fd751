// PostgreSQL's log lines in the box's log: whose fault each is decides how loud it is.
//
// Pure, but for the level of the last line: PostgreSQL's DETAIL, HINT and CONTEXT lines belong to the one before them.
// The lines have the prefix that postgres_config.cpp asks for. Owned by the supervisor's one thread.
#pragma once

#include <string>

#include "base/log.hpp"

namespace boathouse::supervisor {

struct PostgresLogLine {
    LogLevel level = LogLevel::info;
    bool is_fatal = false;  // FATAL or PANIC of PostgreSQL itself, not of one client's session
    std::string text;       // without the severity of a plain LOG line
};

class PostgresLog {
  public:
    // A statement's ERROR is its client's business: info. A session's FATAL is a warning, but for those that come with
    // starting and stopping, or with a client that is gone. PostgreSQL's own FATAL and PANIC are errors.
    PostgresLogLine read(const std::string& line);

  private:
    LogLevel level_ = LogLevel::info;
};

}  // namespace boathouse::supervisor
