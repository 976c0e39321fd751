#include "supervisor/events.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace boathouse::supervisor {

Result<Events> Events::open() {
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) ::sigaddset(&signals, signal);
    if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return os_error("cannot block signals", errno);
    ::signal(SIGPIPE, SIG_IGN);
    FileDescriptor descriptor(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!descriptor) return os_error("cannot wait for signals", errno);
    return Events(std::move(descriptor));
}

void Events::watch(int fd, std::function<void()> ready) {
    forget(fd);
    watches_.push_back({fd, std::move(ready)});
}

void Events::forget(int fd) {
    watches_.erase(std::remove_if(watches_.begin(), watches_.end(), [fd](const Watch& one) { return one.fd == fd; }),
                   watches_.end());
}

std::vector<int> Events::wait(std::chrono::milliseconds timeout) {
    std::vector<pollfd> polled{{signals_.get(), POLLIN, 0}};
    for (const auto& one : watches_) polled.push_back({one.fd, POLLIN, 0});
    const int count = ::poll(polled.data(), polled.size(), static_cast<int>(timeout.count()));
    if (count <= 0) return {};
    // A callback may change the watches, so each is looked up again by its descriptor.
    for (std::size_t index = 1; index < polled.size(); ++index) {
        if (polled[index].revents == 0) continue;
        const auto found = std::find_if(watches_.begin(), watches_.end(),
                                        [&](const Watch& one) { return one.fd == polled[index].fd; });
        if (found == watches_.end()) continue;
        const auto ready = found->ready;
        ready();
    }
    return polled[0].revents != 0 ? read_signals() : std::vector<int>{};
}

std::vector<int> Events::read_signals() {
    std::vector<int> arrived;
    signalfd_siginfo information{};
    while (::read(signals_.get(), &information, sizeof(information)) == sizeof(information)) {
        arrived.push_back(static_cast<int>(information.ssi_signo));
    }
    return arrived;
}

}  // namespace boathouse::supervisor
