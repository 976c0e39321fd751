#include "config/connect_strings.hpp"

#include <gtest/gtest.h>

namespace boathouse::config {
namespace {

Settings box() {
    Settings settings;
    settings.listen = "127.0.0.1";
    settings.catalog_port = 5432;
    settings.sql_port = 5433;
    settings.http_port = 8080;
    settings.postgres_user = "admin";
    settings.postgres_db = "lakehouse";
    return settings;
}

TEST(ConnectStrings, TheCommonCaseReadsAsThePageSays) {
    EXPECT_EQ(
        attach_statement(box(), "localhost", Secret("s3cret")),
        "ATTACH 'ducklake:postgres:host=localhost port=5432 user=admin password=s3cret dbname=lakehouse' AS lake;");
    EXPECT_EQ(psql_command(box(), "localhost"), "psql 'postgresql://admin@localhost:5433/lake'");
    EXPECT_EQ(health_url(box(), "localhost"), "http://localhost:8080/readyz");
}

TEST(ConnectStrings, WithoutAPasswordTheWordIsLeftOut) {
    EXPECT_EQ(attach_statement(box(), "localhost", Secret()),
              "ATTACH 'ducklake:postgres:host=localhost port=5432 user=admin dbname=lakehouse' AS lake;");
}

TEST(ConnectStrings, OddPasswordsAreQuotedForLibpqAndForSql) {
    EXPECT_EQ(attach_statement(box(), "localhost", Secret("it's a \\ b")),
              "ATTACH 'ducklake:postgres:host=localhost port=5432 user=admin password=''it\\''s a \\\\ b'' "
              "dbname=lakehouse' AS lake;");
}

TEST(ConnectStrings, OddNamesAreQuotedForUrlAndShell) {
    Settings settings = box();
    settings.postgres_user = "o'neil@work";
    EXPECT_EQ(psql_command(settings, "::1"), "psql 'postgresql://o%27neil%40work@[::1]:5433/lake'");
    EXPECT_EQ(health_url(settings, "::1"), "http://[::1]:8080/readyz");
}

TEST(ConnectStrings, AnExternalCatalogIsNamedByItsUrl) {
    Settings settings = box();
    settings.catalog = Secret("postgresql://owner:p%40ss@db.example.com:6432/lakes?sslmode=require");
    ASSERT_TRUE(client_password(settings));
    EXPECT_EQ(client_password(settings)->reveal(), "p@ss");
    EXPECT_EQ(attach_statement(settings, "localhost", Secret("p@ss")),
              "ATTACH 'ducklake:postgres:host=db.example.com port=6432 user=owner password=p@ss dbname=lakes "
              "sslmode=require' AS lake;");
}

TEST(ConnectStrings, TheHostIsOneThatAnswersHere) {
    Settings settings = box();
    EXPECT_EQ(local_host(settings), "localhost");
    settings.listen = "0.0.0.0";
    EXPECT_EQ(local_host(settings), "localhost");
    settings.listen = "192.0.2.7";
    EXPECT_EQ(local_host(settings), "192.0.2.7");
}

}  // namespace
}  // namespace boathouse::config
