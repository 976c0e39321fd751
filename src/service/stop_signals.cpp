#include "service/stop_signals.hpp"

#include <unistd.h>

#include <csignal>
#include <thread>

namespace boathouse::service {
namespace {

sigset_t stop_set() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGTERM);
    ::sigaddset(&set, SIGINT);
    return set;
}

}  // namespace

StopSignals::StopSignals() {
    const sigset_t set = stop_set();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);  // a client that goes is an error of write(), not the engine's end
    std::thread([this] { take_signals(); }).detach();
}

void StopSignals::take_signals() {
    const sigset_t set = stop_set();
    while (true) {
        int number = 0;
        if (::sigwait(&set, &number) != 0) continue;
        const std::lock_guard lock(mutex_);
        if (!serving_ || stop_asked_) ::_exit(0);
        stop_asked_ = true;
        changed_.notify_all();
    }
}

void StopSignals::start_serving() {
    const std::lock_guard lock(mutex_);
    serving_ = true;
}

bool StopSignals::wait_for(std::chrono::milliseconds duration) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, duration, [this] { return stop_asked_; });
}

}  // namespace boathouse::service
