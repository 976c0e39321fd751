#include "engine/scrubber.hpp"

#include <gmock/gmock.h>

namespace boathouse::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Scrubber scrubber() {
    config::Settings settings;
    settings.postgres_password = Secret("correct horse");
    settings.aws_access_key_id = Secret("AKIAIOSFODNN7EXAMPLE");
    settings.aws_secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG");
    catalog::Endpoint endpoint;
    endpoint.password = Secret("wJalrXUtnFEMI");  // the beginning of another: the longer one goes first
    return Scrubber(settings, endpoint);
}

TEST(Scrubber, TakesEverySecretOut) {
    const std::string text = scrubber()("a correct horse b wJalrXUtnFEMI/K7MDENG c wJalrXUtnFEMI d");
    EXPECT_EQ(text, "a *** b *** c *** d");
}

TEST(Scrubber, KeepsTheEndOfAKeyId) {
    EXPECT_EQ(scrubber()("key AKIAIOSFODNN7EXAMPLE unknown"), "key ***MPLE unknown");
}

TEST(Scrubber, TakesOutPasswordsThatAreNotOurs) {
    EXPECT_THAT(scrubber()("host=x password='it''s' user=y"), Not(HasSubstr("it")));
    EXPECT_EQ(scrubber()("host=x PASSWORD=abc user=y"), "host=x PASSWORD=*** user=y");
}

TEST(Scrubber, WithoutSecretsChangesNothing) {
    EXPECT_EQ(Scrubber({}, {})("password authentication failed for user \"admin\""),
              "password authentication failed for user \"admin\"");
}

}  // namespace
}  // namespace boathouse::engine
