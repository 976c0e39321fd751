#include "catalog/connection.hpp"

#include <gtest/gtest.h>

#include "catalog/scratch_postgres.hpp"

namespace boathouse::catalog {
namespace {

class ConnectionTest : public testing::Test {
  protected:
    static ScratchPostgres& server() {
        static ScratchPostgres scratch;
        return scratch;
    }
    Connection connection_ = server().connect("boathouse", "postgres").value();
};

TEST_F(ConnectionTest, ReturnsRowsAsTextAndNullAsNothing) {
    const Rows rows = connection_.query("SELECT $1::int + 1, NULL, $2::text", {"41", "ü"}).value();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0], (Row{"42", std::nullopt, "ü"}));
    EXPECT_GE(connection_.server_version(), 140000);
    EXPECT_TRUE(connection_.is_superuser());
}

TEST_F(ConnectionTest, CarriesTheServersSqlstateAndKind) {
    const auto rows = connection_.query("SELECT 1 FROM public.nowhere");
    ASSERT_FALSE(rows);
    EXPECT_EQ(connection_.last_sqlstate(), "42P01");
    EXPECT_EQ(rows.error().kind, ErrorKind::not_found);
    EXPECT_EQ(rows.error().message, "relation \"public.nowhere\" does not exist (SQLSTATE 42P01)");
    connection_.query("SELECT 1").value();
    EXPECT_EQ(connection_.last_sqlstate(), "");
}

TEST_F(ConnectionTest, FindsNothingThatIsNotNamedWithItsSchema) {
    connection_.execute("CREATE TABLE public.unqualified ()").value();
    EXPECT_FALSE(connection_.query("SELECT * FROM unqualified"));
    connection_.execute("DROP TABLE public.unqualified").value();
}

TEST_F(ConnectionTest, QuotesNamesAndTexts) {
    EXPECT_EQ(connection_.identifier("a\"b"), "\"a\"\"b\"");
    EXPECT_EQ(connection_.literal("it's"), "'it''s'");
}

TEST_F(ConnectionTest, ComputesAVerifierThatThePasswordFits) {
    const std::string verifier = connection_.scram_verifier("visitor", Secret("right")).value();
    EXPECT_TRUE(verifier.starts_with("SCRAM-SHA-256$"));
    connection_.execute("CREATE ROLE visitor LOGIN PASSWORD " + connection_.literal(verifier)).value();
    EXPECT_TRUE(server().connect("visitor", "postgres", Secret("right")));

    const auto refused = server().connect("visitor", "postgres", Secret("wrong and secret"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::permission);
    EXPECT_EQ(refused.error().text().find("secret"), std::string::npos);
    connection_.execute("DROP ROLE visitor").value();
}

TEST_F(ConnectionTest, TellsAMissingDatabaseFromAMissingServer) {
    EXPECT_EQ(server().connect("boathouse", "nowhere").error().kind, ErrorKind::not_found);
    Endpoint endpoint;
    endpoint.host = "/nonexistent";
    endpoint.port = "5432";
    EXPECT_EQ(Connection::open(endpoint).error().kind, ErrorKind::unavailable);
}

}  // namespace
}  // namespace boathouse::catalog
