#include "base/notify.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace boathouse {
namespace {

TEST(Notify, ReachesTheSupervisorAsOneDatagram) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    ::setenv("BOATHOUSE_NOTIFY_FD", std::to_string(ends[1]).c_str(), 1);
    notify_supervisor("READY=1\nSTATUS=serving");
    char bytes[64];
    const auto size = ::recv(ends[0], bytes, sizeof(bytes), MSG_DONTWAIT);
    ::unsetenv("BOATHOUSE_NOTIFY_FD");
    ::close(ends[0]);
    ::close(ends[1]);
    ASSERT_GT(size, 0);
    EXPECT_EQ(std::string(bytes, static_cast<std::size_t>(size)), "READY=1\nSTATUS=serving");
}

TEST(Notify, WithoutAListenerDoesNothing) {
    ::unsetenv("BOATHOUSE_NOTIFY_FD");
    ::unsetenv("NOTIFY_SOCKET");
    notify_supervisor("READY=1");
    notify_service_manager("READY=1");
}

}  // namespace
}  // namespace boathouse
