// One connection to PostgreSQL for many threads, a question at a time, opened when it is first needed.
//
// A connection that was lost since the last question is no news (PostgreSQL may have been started again): the question
// is asked once more on a new one, so it must be one that may be asked twice. Any thread; blocks. Errors: Connection's.
#pragma once

#include <mutex>
#include <optional>

#include "catalog/connection.hpp"

namespace boathouse::feed {

class SharedConnection {
  public:
    explicit SharedConnection(catalog::Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

    // `question` is given a catalog::Connection& and answers with a Result or a Status.
    template <typename Question>
    auto ask(Question question) -> decltype(question(std::declval<catalog::Connection&>())) {
        const std::lock_guard lock(mutex_);
        const bool was_open = connection_.has_value();
        if (auto opened = open(); !opened) return opened.error();
        auto answer = question(*connection_);
        if (answer || answer.error().kind != ErrorKind::unavailable) return answer;
        connection_.reset();
        if (!was_open) return answer;
        if (auto opened = open(); !opened) return opened.error();
        return question(*connection_);
    }

  private:
    Status open() {
        if (connection_) return {};
        auto opened = catalog::Connection::open(endpoint_);
        if (!opened) return opened.error();
        connection_.emplace(std::move(*opened));
        return {};
    }

    const catalog::Endpoint endpoint_;
    std::mutex mutex_;
    std::optional<catalog::Connection> connection_;  // under mutex_
};

}  // namespace boathouse::feed
