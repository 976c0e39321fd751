#include "http/server.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <future>
#include <stdexcept>

#include "base/file.hpp"
#include "gateway/tls.hpp"
#include "supervisor/certificate.hpp"

namespace boathouse::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Response text(const std::string& body) {
    Response response;
    response.body = body;
    return response;
}

// A client that sends the bytes it is told to, over a blocking socket.
class Client {
  public:
    explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connect(reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    }

    explicit Client(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
        connect(reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    }

    // A peer that has closed already has refused us: what it said is still to be read.
    void send(std::string_view bytes) const { (void)::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }

    // All that comes until the server closes.
    std::string read_all() const {
        std::string text;
        char buffer[4096];
        ssize_t count = 0;
        while ((count = ::recv(socket_.get(), buffer, sizeof(buffer), 0)) > 0) {
            text.append(buffer, static_cast<std::size_t>(count));
        }
        return text;
    }

    // Up to and with `end`, on a connection that is kept.
    std::string read_until(std::string_view end) const {
        std::string text;
        char byte = 0;
        while (!text.ends_with(end) && ::recv(socket_.get(), &byte, 1, 0) == 1) text += byte;
        return text;
    }

    std::string get(const std::string& path) const {
        send("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        return read_all();
    }

  private:
    void connect(const sockaddr* address, socklen_t size) const {
        if (::connect(socket_.get(), address, size) != 0) throw std::runtime_error(std::strerror(errno));
    }

    FileDescriptor socket_;
};

// A handler that waits until the test lets it go.
class Gate {
  public:
    Handler handler() {
        return [this](const Request&) {
            entered_.set_value();
            opened_.get_future().wait();
            return text("let go\n");
        };
    }
    void wait_until_entered() { entered_.get_future().wait(); }
    void open() { opened_.set_value(); }

  private:
    std::promise<void> entered_;
    std::promise<void> opened_;
};

class ServerTest : public testing::Test {
  protected:
    ServerTest() {
        std::string pattern = testing::TempDir() + "boathouse-http-XXXXXX";
        dir_ = ::mkdtemp(pattern.data());
        router_.add({.path = "/hello", .handler = [](const Request&) { return text("hello\n"); }});
        router_.add(
            {.path = "/at-once", .handler = [](const Request&) { return text("at once\n"); }, .is_blocking = false});
        router_.add({.path = "/throws",
                     .handler = [](const Request&) -> Response { throw std::runtime_error("of the handler"); }});
        router_.add(
            {.path = "/whisper", .handler = [](const Request&) { return text("psst\n"); }, .private_only = true});
        router_.add({.path = "/size", .method = boost::beast::http::verb::post, .handler = [](const Request& r) {
                         return text(std::to_string(r.body.size()));
                     }});
        router_.add({.path = "/gate", .handler = gate_.handler()});
    }
    ~ServerTest() override {
        server_.reset();
        std::filesystem::remove_all(dir_);
    }

    std::uint16_t start(ServerOptions options = ServerOptions()) {
        options.address = "127.0.0.1";
        server_ = std::make_unique<Server>(std::move(options), router_);
        server_->start().value();
        return server_->port();
    }

    std::string dir_;
    Gate gate_;
    Router router_;
    std::unique_ptr<Server> server_;
};

constexpr std::string_view kKeptRequest = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(ServerTest, TellsOneConnectionTooManyThatItIs) {
    const auto port = start({.connections_max = 2});
    auto first = std::make_unique<Client>(port);
    const Client second(port);
    for (const Client* client : {&std::as_const(*first), &second}) {
        client->send(kKeptRequest);
        EXPECT_THAT(client->read_until("hello\n"), StartsWith("HTTP/1.1 200"));
    }
    EXPECT_EQ(server_->open_connections(), 2);
    const std::string refused = Client(port).read_all();
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 503"));
    const auto body = refused.substr(refused.find("\r\n\r\n") + 4);
    EXPECT_EQ(body, "{\"error\": \"too many connections\"}\n");
    EXPECT_THAT(refused, HasSubstr("Content-Length: " + std::to_string(body.size()) + "\r\n"));
    EXPECT_EQ(server_->refused_connections_total(), 1);

    first.reset();
    while (server_->open_connections() == 2) std::this_thread::yield();
    EXPECT_THAT(Client(port).get("/hello"), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServerTest, RefusesWhatIsLargerThanItsLimit) {
    const auto port = start({.header_bytes_max = 1024, .body_bytes_max = 100});
    const Client long_header(port);
    long_header.send("GET /hello HTTP/1.1\r\nHost: x\r\nX: " + std::string(2000, 'a') + "\r\n\r\n");
    EXPECT_THAT(long_header.read_all(), testing::AllOf(StartsWith("HTTP/1.1 431"), HasSubstr("1024 bytes")));

    const auto post = [&](std::size_t size) {
        const Client client(port);
        client.send("POST /size HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + std::to_string(size) +
                    "\r\n\r\n" + std::string(size, 'b'));
        return client.read_all();
    };
    EXPECT_THAT(post(100), testing::AllOf(StartsWith("HTTP/1.1 200"), testing::EndsWith("\r\n\r\n100")));
    EXPECT_THAT(post(101), testing::AllOf(StartsWith("HTTP/1.1 413"), HasSubstr("100 bytes")));
}

TEST_F(ServerTest, RefusesWhatIsNotHttp) {
    const auto port = start();
    for (const char* bytes : {"\x16\x03\x01 TLS?\r\n\r\n", "GET noslash HTTP/1.1\r\nHost: x\r\n\r\n",
                              "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"}) {
        const Client client(port);
        client.send(bytes);
        EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 400")) << bytes;
    }
}

TEST_F(ServerTest, CutsOffARequestThatDoesNotEnd) {
    const auto port = start({.request_timeout_ms = 50});
    const Client client(port);
    client.send("GET /hello HTTP/1.1\r\nHost");
    EXPECT_EQ(client.read_all(), "");
}

// What a client says when it begins TLS, as far as it says it.
constexpr std::string_view kClientHello("\x16\x03\x01\x00\x30\x01\x00\x00\x2c\x03\x03", 11);

TEST_F(ServerTest, CutsOffAHandshakeThatDoesNotEnd) {
    config::Settings settings;
    settings.data_dir = dir_;
    settings.tls = "on";
    std::filesystem::create_directory(config::tls_dir(settings));
    const std::string file = config::tls_dir(settings) + "/self-signed";
    supervisor::ensure_self_signed({.certificate = file + ".crt", .key = file + ".key"}, {"localhost"}).value();
    const auto tls = gateway::Tls::load(settings, gateway::kHttpProtocol).value();
    const auto port = start({.tls = tls.get(), .request_timeout_ms = 50});
    for (std::size_t size = 0; size <= kClientHello.size(); ++size) {
        const Client client(port);
        client.send(kClientHello.substr(0, size));
        EXPECT_EQ(client.read_all(), "") << size;
    }
    EXPECT_THAT(Client(port).get("/hello"), testing::EndsWith("hello\n"));
}

TEST_F(ServerTest, AnswersAHandlerThatThrows) {
    const std::string answer = Client(start()).get("/throws");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 500"));
    EXPECT_THAT(answer, testing::Not(HasSubstr("of the handler")));
}

TEST_F(ServerTest, AnswersAtOnceWhileItsOnlyWorkerIsBusy) {
    const auto port = start({.worker_threads = 1});
    auto waiting = std::async(std::launch::async, [&] { return Client(port).get("/gate"); });
    gate_.wait_until_entered();
    EXPECT_THAT(Client(port).get("/at-once"), StartsWith("HTTP/1.1 200"));
    gate_.open();
    EXPECT_THAT(waiting.get(), testing::EndsWith("let go\n"));
}

TEST_F(ServerTest, LetsARequestFinishWhenItStops) {
    const auto port = start();
    auto waiting = std::async(std::launch::async, [&] { return Client(port).get("/gate"); });
    gate_.wait_until_entered();
    auto stopped = std::async(std::launch::async, [&] { server_->stop(600'000); });
    gate_.open();
    EXPECT_THAT(waiting.get(), testing::EndsWith("let go\n"));
    stopped.get();
    EXPECT_THROW(Client{port}, std::runtime_error);
}

TEST_F(ServerTest, AnswersPrivatelyOnItsSocketAlone) {
    const std::string path = dir_ + "/http.sock";
    const auto port = start({.private_socket = path});
    struct stat file {};
    ASSERT_EQ(::stat(path.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0700U);
    EXPECT_THAT(Client(path).get("/whisper"), testing::EndsWith("psst\n"));
    EXPECT_THAT(Client(port).get("/whisper"), StartsWith("HTTP/1.1 404"));
    server_->stop(0);
    EXPECT_NE(::stat(path.c_str(), &file), 0);
}

TEST_F(ServerTest, SaysThatItsPortIsTaken) {
    const auto port = start();
    Server second({.address = "127.0.0.1", .port = port}, router_);
    const auto refused = second.start();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
    EXPECT_THAT(refused.error().message, HasSubstr(std::to_string(port)));
}

}  // namespace
}  // namespace boathouse::http
