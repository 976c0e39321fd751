// What the supervisor waits for: signals, children's ends, lines, datagrams and the time, in one poll().
//
// Signals are blocked and read from a signalfd, so no code runs in a handler and none is lost while the supervisor is
// busy. Created before the first child, by the process's only thread, which alone uses it.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"

namespace boathouse::supervisor {

class Events {
  public:
    // Blocks SIGTERM, SIGINT, SIGHUP and SIGCHLD, and ignores SIGPIPE, from here on.
    static Result<Events> open();

    // Calls `ready` whenever the descriptor can be read. Replaces an earlier one of the same number.
    void watch(int fd, std::function<void()> ready);
    void forget(int fd);

    // Waits until something happened or `timeout` is over, and calls whoever watches what can be read. The signals that
    // arrived, in order; SIGCHLD once however many children ended.
    std::vector<int> wait(std::chrono::milliseconds timeout);

  private:
    explicit Events(FileDescriptor signals) : signals_(std::move(signals)) {}
    std::vector<int> read_signals();

    struct Watch {
        int fd;
        std::function<void()> ready;
    };
    FileDescriptor signals_;
    std::vector<Watch> watches_;  // a handful
};

}  // namespace boathouse::supervisor
