#include <gtest/gtest.h>

#include "catalog/connection.hpp"

namespace boathouse::catalog {
namespace {

config::Settings local_settings(const std::string& data_dir) {
    config::Settings settings;
    settings.data_dir = data_dir;
    settings.catalog_port = 5432;
    settings.postgres_db = "lakehouse";
    return settings;
}

config::Settings external_settings(const std::string& url) {
    config::Settings settings = local_settings("/data");
    settings.catalog = Secret(url);
    return settings;
}

TEST(Endpoint, IsThePrivateSocketOfAChild) {
    const Endpoint endpoint = box_endpoint(local_settings("/data")).value();
    EXPECT_EQ(endpoint.host, "/data/run");
    EXPECT_EQ(endpoint.conninfo(),
              "host='/data/run' port='5432' user='boathouse' dbname='lakehouse' application_name='boathouse'");
}

TEST(Endpoint, QuotesWhatLibpqWouldTakeApart) {
    Endpoint endpoint;
    endpoint.host = "h";
    endpoint.database = "it's a \\ lake";
    EXPECT_EQ(endpoint.conninfo(), R"(host='h' dbname='it\'s a \\ lake' application_name='boathouse')");
}

TEST(Endpoint, TakesAnExternalUrlApartAndKeepsThePasswordOutOfTheString) {
    const Endpoint endpoint =
        box_endpoint(
            external_settings("postgresql://cloud:p%40ss@db.example:6432/lake?sslmode=require&sslrootcert=/ca.pem"))
            .value();
    EXPECT_EQ(endpoint.password.reveal(), "p@ss");
    EXPECT_EQ(endpoint.sslmode, "require");
    EXPECT_EQ(endpoint.conninfo(),
              "host='db.example' port='6432' user='cloud' dbname='lake' sslmode='require' application_name='boathouse' "
              "sslrootcert='/ca.pem'");
}

TEST(Endpoint, RefusesAMalformedUrlWithoutRepeatingIt) {
    const auto endpoint = box_endpoint(external_settings("postgresql://cloud:secret%zz@db.example/lake"));
    ASSERT_FALSE(endpoint);
    EXPECT_EQ(endpoint.error().kind, ErrorKind::configuration);
    EXPECT_EQ(endpoint.error().text().find("secret"), std::string::npos);
    EXPECT_EQ(endpoint.error().detail.find("secret"), std::string::npos);
}

TEST(Endpoint, RefusesAUrlWithoutADatabase) {
    const auto endpoint = box_endpoint(external_settings("postgresql://cloud@db.example"));
    ASSERT_FALSE(endpoint);
    EXPECT_EQ(endpoint.error().kind, ErrorKind::configuration);
}

TEST(SocketDir, StaysBelowTheLimitOfASocketsPath) {
    const config::Settings settings = local_settings("/" + std::string(120, 'd'));
    const std::string dir = socket_dir(settings);
    EXPECT_LE((dir + "/.s.PGSQL.5432").size(), 107U);
    EXPECT_EQ(dir, socket_dir(settings));
    EXPECT_NE(dir, socket_dir(local_settings("/" + std::string(121, 'd'))));
}

}  // namespace
}  // namespace boathouse::catalog
