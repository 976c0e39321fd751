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

TEST(Scrubber, ShowsClientsPathsBelowTheDataDirectory) {
    config::Settings settings;
    settings.data_dir = "/srv/box";
    settings.data_path = "/mnt/lake/";
    const Scrubber scrub(settings, {});
    EXPECT_EQ(scrub.for_client("Cannot open file \"/srv/box/lake/t/1.parquet\": No such file"),
              "Cannot open file \"lake/t/1.parquet\": No such file");
    EXPECT_EQ(scrub.for_client("/mnt/lake/t/1.parquet and /mnt/lake/t/2.parquet"), "t/1.parquet and t/2.parquet");
    EXPECT_EQ(scrub("/srv/box/lake"), "/srv/box/lake");
}

TEST(Scrubber, WithoutSecretsChangesNothing) {
    EXPECT_EQ(Scrubber({}, {})("password authentication failed for user \"admin\""),
              "password authentication failed for user \"admin\"");
}

}  // namespace
}  // namespace boathouse::engine
