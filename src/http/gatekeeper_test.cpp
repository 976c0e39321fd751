#include "http/gatekeeper.hpp"

#include <gtest/gtest.h>

namespace boathouse::http {
namespace {

using boost::beast::http::field;
using boost::beast::http::status;

constexpr const char* kElsewhere = "192.0.2.9";
constexpr const char* kHere = "127.0.0.1";

// A gatekeeper whose catalog does not answer: what it lets through to the catalog is answered 503.
class GatekeeperTest : public testing::Test {
  protected:
    GatekeeperTest() {
        catalog::Endpoint nowhere;
        nowhere.host = "/nonexistent";
        roles_ = std::make_unique<gateway::Roles>(std::move(nowhere), "");
        services_ =
            std::make_unique<gateway::LogInServices>(gateway::LogInServices{*roles_, throttle_, {"lake"}, "secret"});
        callers_ = std::make_unique<gateway::Callers>(*services_, clock_);
    }

    status answer(GatekeeperOptions options, const std::string& address, bool encrypted) {
        Gatekeeper gatekeeper(options, *callers_, clock_);
        Request head;
        head.peer.address = address;
        head.peer.encrypted = encrypted;
        head.headers.set(field::authorization, "Basic YW5hOnNlY3JldA==");
        return std::get<Response>(gatekeeper.admit(head)).status;
    }

    SystemClock clock_;
    gateway::LogInThrottle throttle_{clock_};
    std::unique_ptr<gateway::Roles> roles_;
    std::unique_ptr<gateway::LogInServices> services_;
    std::unique_ptr<gateway::Callers> callers_;
};

constexpr GatekeeperOptions kTlsOn{.has_tls = true};
constexpr GatekeeperOptions kTlsRequired{.has_tls = true, .requires_tls = true};

TEST_F(GatekeeperTest, LooksAtNoPasswordThatCameUnencryptedFromAnotherMachine) {
    EXPECT_EQ(answer({}, kElsewhere, false), status::forbidden);
    EXPECT_EQ(answer(kTlsOn, kElsewhere, false), status::forbidden);
    EXPECT_EQ(answer(kTlsOn, kElsewhere, true), status::service_unavailable);
    EXPECT_EQ(answer(kTlsOn, kHere, false), status::service_unavailable);
}

TEST_F(GatekeeperTest, LooksAtNoPasswordThatCameUnencryptedWhereEncryptionIsRequired) {
    EXPECT_EQ(answer(kTlsRequired, kHere, false), status::forbidden);
    EXPECT_EQ(answer(kTlsRequired, kHere, true), status::service_unavailable);
    EXPECT_EQ(answer(kTlsRequired, kElsewhere, true), status::service_unavailable);
}

TEST_F(GatekeeperTest, LeavesEncryptionToAProxyWhereToldTo) {
    EXPECT_EQ(answer({.plain_passwords = true}, kElsewhere, false), status::service_unavailable);
    EXPECT_EQ(answer({.plain_passwords = true, .requires_tls = true}, kElsewhere, false), status::service_unavailable);
}

}  // namespace
}  // namespace boathouse::http
