#include "supervisor/ports.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.hpp"

namespace boathouse::supervisor {
namespace {

using testing::HasSubstr;

// Listens on a port of the kernel's choice on 127.0.0.1.
class Listener {
  public:
    Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof(address);
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(socket_.get(), generic, length), 0);
        EXPECT_EQ(::listen(socket_.get(), 1), 0);
        EXPECT_EQ(::getsockname(socket_.get(), generic, &length), 0);
        port_ = ntohs(address.sin_port);
    }
    std::int64_t port() const { return port_; }
    void close() { socket_.close(); }

  private:
    FileDescriptor socket_;
    std::int64_t port_ = 0;
};

TEST(PortsTest, NamesTheProcessThatHasThePort) {
    const Listener listener;
    const auto checked = check_ports("127.0.0.1", {{"catalog", "--catalog-port", listener.port()}});
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().kind, ErrorKind::conflict);
    EXPECT_THAT(checked.error().message, HasSubstr("port " + std::to_string(listener.port()) + " (catalog) is taken"));
    EXPECT_THAT(checked.error().message,
                HasSubstr("process " + std::to_string(::getpid()) + " (boathouse_supervisor_test)"));
    EXPECT_THAT(checked.error().hint, HasSubstr("--catalog-port"));
}

TEST(PortsTest, TellsAllTakenPortsAtOnce) {
    const Listener first;
    const Listener second;
    const auto checked =
        check_ports("127.0.0.1", {{"catalog", "--catalog-port", first.port()}, {"HTTP", "--http-port", second.port()}});
    ASSERT_FALSE(checked);
    EXPECT_THAT(checked.error().message, HasSubstr(std::to_string(first.port()) + " (catalog)"));
    EXPECT_THAT(checked.error().message, HasSubstr(std::to_string(second.port()) + " (HTTP)"));
}

TEST(PortsTest, IsContentWithAPortThatIsFreeAgain) {
    Listener listener;
    listener.close();
    EXPECT_TRUE(check_ports("127.0.0.1", {{"SQL", "--sql-port", listener.port()}}));
    EXPECT_EQ(port_holder(listener.port()), "");
}

TEST(PortsTest, RefusesAnAddressOfAnotherMachine) {
    for (const char* address : {"192.0.2.1", "no such host"}) {
        const auto checked = check_ports(address, {{"HTTP", "--http-port", 18080}});
        ASSERT_FALSE(checked) << address;
        EXPECT_EQ(checked.error().kind, ErrorKind::configuration);
        EXPECT_THAT(checked.error().message, HasSubstr(address));
    }
}

}  // namespace
}  // namespace boathouse::supervisor
