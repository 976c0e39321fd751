#include "supervisor/ready_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boathouse::supervisor {
namespace {

using testing::HasSubstr;
using testing::Not;

config::Loaded example() {
    config::Loaded loaded;
    loaded.settings.data_dir = "/data";
    loaded.settings.listen = "127.0.0.1";
    loaded.settings.catalog_port = 5432;
    loaded.settings.sql_port = 5433;
    loaded.settings.http_port = 8080;
    loaded.settings.postgres_user = "admin";
    loaded.settings.postgres_db = "lakehouse";
    loaded.settings.postgres_password = Secret("s3cret");
    loaded.origins["postgres_password"] = "environment POSTGRES_PASSWORD";
    return loaded;
}

TEST(ReadyTextTest, ShowsAPasswordOnlyWhenItIsNew) {
    const auto loaded = example();
    EXPECT_THAT(ready_text({.loaded = loaded, .password_is_generated = true, .password_is_new = true}),
                HasSubstr("password=s3cret"));
    EXPECT_THAT(ready_text({.loaded = loaded, .password_is_generated = true}), Not(HasSubstr("s3cret")));
    EXPECT_THAT(ready_text({.loaded = loaded}), Not(HasSubstr("s3cret")));
}

TEST(ReadyTextTest, SaysWhereThePasswordIs) {
    const auto loaded = example();
    EXPECT_THAT(ready_text({.loaded = loaded}), HasSubstr("from environment POSTGRES_PASSWORD"));
    EXPECT_THAT(ready_text({.loaded = loaded, .password_is_generated = true}),
                HasSubstr("/data/secrets/postgres_password"));
}

}  // namespace
}  // namespace boathouse::supervisor
