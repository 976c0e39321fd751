#include "catalog/box_database.hpp"

#include <gtest/gtest.h>

#include "catalog/bootstrap.hpp"
#include "catalog/scratch_postgres.hpp"

namespace boathouse::catalog {
namespace {

class BoxDatabase : public testing::Test {
  protected:
    BoxDatabase() { prepare_server(server_.settings()).value(); }

    Connection superuser(const std::string& database = "postgres") const {
        return server_.connect("boathouse", database).value();
    }
    Row state() const {
        return superuser()
            .query(
                "SELECT pg_get_userbyid(datdba), datconnlimit, datacl::text FROM pg_database WHERE datname = "
                "'boathouse_lakehouse'")
            .value()
            .at(0);
    }
    const Row whole_{"boathouse_engine", "-1", "{boathouse_engine=CTc/boathouse_engine}"};

    ScratchPostgres server_;
};

TEST_F(BoxDatabase, IsTheEnginesAloneAndIsKept) {
    prepare_box_database(server_.settings()).value();
    EXPECT_EQ(state(), whole_);
    Connection engine = Connection::open(box_database_endpoint(server_.settings()).value()).value();
    engine.execute("CREATE SCHEMA kept; CREATE TABLE kept.t AS SELECT 1 AS i").value();
    prepare_box_database(server_.settings()).value();
    EXPECT_EQ(engine.query("SELECT i FROM kept.t").value().at(0), Row{"1"});

    const auto refused = server_.connect("admin", "boathouse_lakehouse", server_.settings().postgres_password);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::permission) << refused.error().message;
}

TEST_F(BoxDatabase, IsFinishedAfterADeathBetweenItsTwoStatements) {
    superuser().execute("CREATE DATABASE boathouse_lakehouse OWNER boathouse_engine CONNECTION LIMIT 0").value();
    prepare_box_database(server_.settings()).value();
    EXPECT_EQ(state(), whole_);
}

// As PostgreSQL marks a database whose drop was cut short.
TEST_F(BoxDatabase, IsMadeAnewWhereItIsInvalid) {
    prepare_box_database(server_.settings()).value();
    superuser().execute("UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'boathouse_lakehouse'").value();
    prepare_box_database(server_.settings()).value();
    EXPECT_EQ(state(), whole_);
    EXPECT_TRUE(Connection::open(box_database_endpoint(server_.settings()).value()));
}

TEST_F(BoxDatabase, OfSomebodyElseIsLeftAlone) {
    superuser().execute("CREATE DATABASE boathouse_lakehouse OWNER admin").value();
    const auto prepared = prepare_box_database(server_.settings());
    ASSERT_FALSE(prepared);
    EXPECT_EQ(prepared.error().kind, ErrorKind::conflict);
    EXPECT_EQ(state().at(0), "admin");
}

TEST_F(BoxDatabase, OfAnExternalCatalogIsNamedAfterTheLakesDatabaseAndMadeByWhoMay) {
    superuser().execute("CREATE ROLE tenant LOGIN PASSWORD 'p'; GRANT CONNECT ON DATABASE lakehouse TO tenant").value();
    config::Settings settings = server_.settings();
    const std::string socket = socket_dir(settings);
    settings.catalog =
        Secret("postgresql://tenant:p@/lakehouse?host=" + socket + "&port=" + std::to_string(settings.catalog_port));
    EXPECT_EQ(box_database(settings), "boathouse_lakehouse");
    const auto refused = prepare_box_database(settings);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::permission);
    EXPECT_NE(refused.error().hint.find("CREATE DATABASE \"boathouse_lakehouse\" OWNER \"tenant\""), std::string::npos)
        << refused.error().hint;

    superuser().execute("ALTER ROLE tenant CREATEDB").value();
    prepare_box_database(settings).value();
    Connection tenant = Connection::open(box_database_endpoint(settings).value()).value();
    EXPECT_EQ(tenant.query("SELECT current_database(), current_user").value().at(0),
              (Row{"boathouse_lakehouse", "tenant"}));
}

TEST(BoxDatabaseName, IsTheLakesWithAWordBefore) {
    config::Settings settings;
    settings.postgres_db = "boathouse";
    EXPECT_EQ(box_database(settings), "boathouse_boathouse");
    settings.postgres_db = std::string(63, 'x');
    EXPECT_EQ(box_database(settings), "boathouse_" + std::string(53, 'x'));
}

}  // namespace
}  // namespace boathouse::catalog
