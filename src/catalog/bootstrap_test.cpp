#include "catalog/bootstrap.hpp"

#include <gtest/gtest.h>

#include "catalog/scratch_postgres.hpp"
#include "catalog/version_guard.hpp"

namespace boathouse::catalog {
namespace {

class Bootstrap : public testing::Test {
  protected:
    ScratchPostgres server_;

    Connection owner() const {
        return server_.connect("admin", "lakehouse", server_.settings().postgres_password).value();
    }
    Connection superuser() const { return server_.connect("boathouse", "lakehouse").value(); }

    // A login role that is a member of `group`.
    Connection member(const std::string& group) {
        Connection admin = owner();
        admin
            .execute("CREATE ROLE " + group + "_member LOGIN PASSWORD 'p'; GRANT " + group + " TO " + group + "_member")
            .value();
        return server_.connect(group + "_member", "lakehouse", Secret("p")).value();
    }

    void open_lake() {
        prepare_server(server_.settings()).value();
        Connection connection = superuser();
        create_lake_tables(connection);
        tune_catalog(server_.settings()).value();
    }
};

TEST_F(Bootstrap, MakesRolesAndDatabaseAndDoesSoTwice) {
    open_lake();
    prepare_server(server_.settings()).value();
    tune_catalog(server_.settings()).value();
    Connection connection = owner();
    const Rows rows =
        connection
            .query(
                "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), "
                "pg_has_role('lake_admin', 'MEMBER'), pg_has_role('lake_reader', 'MEMBER'), rolsuper, rolcreaterole "
                "FROM pg_database, pg_roles WHERE datname = 'lakehouse' AND rolname = 'admin'")
            .value();
    EXPECT_EQ(rows.at(0), (Row{"admin", "UTF8", "t", "t", "f", "t"}));
}

// What an admin plants in the lake's tables runs as whoever writes them: the engine must not be worth the trouble.
TEST_F(Bootstrap, LetsTheEngineCreateTheLakeWithoutBeingASuperuser) {
    prepare_server(server_.settings()).value();
    Connection engine = server_.connect("boathouse_engine", "lakehouse").value();
    EXPECT_FALSE(engine.is_superuser());
    create_lake_tables(engine);
    tune_catalog(server_.settings()).value();
    EXPECT_EQ(read_lake_record(engine).value().version, "1.0");
    engine.execute("INSERT INTO public.ducklake_snapshot SELECT 1, now(), 0, 1, 0").value();
}

// DuckLake makes a lake in any empty database that it is told to attach, of the client's own version.
TEST_F(Bootstrap, LetsNobodyInBeforeTheLakeExists) {
    prepare_server(server_.settings()).value();
    const auto early = server_.connect("admin", "lakehouse", server_.settings().postgres_password);
    ASSERT_FALSE(early);
    EXPECT_NE(early.error().message.find("permission denied for database"), std::string::npos) << early.error().message;

    Connection engine = server_.connect("boathouse_engine", "lakehouse").value();
    create_lake_tables(engine);
    tune_catalog(server_.settings()).value();
    EXPECT_TRUE(owner().query("SELECT * FROM public.ducklake_snapshot"));
}

// A box that was killed between the two statements that make the database.
TEST_F(Bootstrap, FinishesADatabaseThatIsHalfMade) {
    Connection connection = server_.connect("boathouse", "postgres").value();
    connection.execute("CREATE DATABASE lakehouse TEMPLATE template0 CONNECTION LIMIT 0").value();
    open_lake();
    EXPECT_TRUE(owner().query("SELECT * FROM public.ducklake_snapshot"));
}

TEST_F(Bootstrap, KeepsAPasswordChangedSinceAndFollowsAChangedConfiguration) {
    open_lake();
    owner().execute("ALTER ROLE admin PASSWORD 'changed by hand'").value();
    prepare_server(server_.settings()).value();
    EXPECT_TRUE(server_.connect("admin", "lakehouse", Secret("changed by hand")));

    config::Settings changed = server_.settings();
    changed.postgres_password = Secret("the second password");
    prepare_server(changed).value();
    EXPECT_TRUE(server_.connect("admin", "lakehouse", changed.postgres_password));
}

TEST_F(Bootstrap, RefusesAnOwnerThatIsSomebodyElse) {
    config::Settings settings = server_.settings();
    settings.postgres_user = "boathouse";
    EXPECT_EQ(prepare_server(settings).error().kind, ErrorKind::configuration);
}

TEST_F(Bootstrap, RefusesADatabaseOfAnotherEncoding) {
    Connection connection = server_.connect("boathouse", "postgres").value();
    connection.execute("CREATE DATABASE lakehouse ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0").value();
    EXPECT_EQ(prepare_server(server_.settings()).error().kind, ErrorKind::conflict);
}

TEST_F(Bootstrap, DescribesTheLakeOrSaysThatThereIsNone) {
    prepare_server(server_.settings()).value();
    Connection connection = superuser();
    EXPECT_EQ(read_lake_record(connection).error().kind, ErrorKind::not_found);
    EXPECT_EQ(tune_catalog(server_.settings()).error().kind, ErrorKind::not_found);

    create_lake_tables(connection);
    const LakeRecord record = read_lake_record(connection).value();
    EXPECT_EQ(record.version, "1.0");
    EXPECT_EQ(record.data_path, "/tmp/lake/");
    EXPECT_FALSE(record.encrypted);
    EXPECT_EQ(record.snapshot, 0);
}

TEST_F(Bootstrap, TunesTwiceAndAddsNoTable) {
    open_lake();
    tune_catalog(server_.settings()).value();
    Connection connection = owner();
    const Rows rows = connection
                          .query(
                              "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'f', 'p') AND "
                              "relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, "
                              "'pg_toast'::regnamespace)")
                          .value();
    EXPECT_EQ(rows.at(0).at(0), "28");
}

TEST_F(Bootstrap, LeavesIndexesAndSettingsThatAreThereAlone) {
    open_lake();
    Connection box = superuser();
    const auto oids = [&box] {
        return box
            .query("SELECT oid, relfilenode, xmin FROM pg_catalog.pg_class WHERE relname ~ '^(boathouse|ducklake)_'")
            .value();
    };
    const Rows before = oids();
    tune_catalog(server_.settings()).value();
    EXPECT_EQ(oids(), before);
    EXPECT_EQ(owner().query("SHOW random_page_cost").value().at(0).at(0), "1.1");
}

TEST_F(Bootstrap, LetsAReaderReadAndNothingElse) {
    open_lake();
    Connection reader = member("lake_reader");
    EXPECT_TRUE(reader.query("SELECT * FROM public.ducklake_snapshot"));
    for (const char* sql :
         {"INSERT INTO public.ducklake_snapshot VALUES (1)", "UPDATE public.ducklake_metadata SET value = ''",
          "DELETE FROM public.ducklake_snapshot", "TRUNCATE public.ducklake_snapshot",
          "DROP TABLE public.ducklake_snapshot", "CREATE TABLE public.ducklake_inlined_data_1_1 (a int)",
          "CREATE TEMP TABLE t (a int)", "CREATE SCHEMA s"}) {
        EXPECT_EQ(reader.execute(sql).error().kind, ErrorKind::permission) << sql;
    }
}

TEST_F(Bootstrap, SharesAnInlinedTableBetweenWritersAndShowsItToReaders) {
    open_lake();
    Connection writer = member("lake_writer");
    writer.execute("CREATE TABLE public.ducklake_inlined_data_1_1 (row_id bigint)").value();
    Connection admin = owner();
    EXPECT_TRUE(admin.execute("INSERT INTO public.ducklake_inlined_data_1_1 VALUES (1)"));
    Connection reader = member("lake_reader");
    EXPECT_EQ(reader.query("SELECT row_id FROM public.ducklake_inlined_data_1_1").value().at(0).at(0), "1");
    EXPECT_FALSE(reader.execute("DELETE FROM public.ducklake_inlined_data_1_1"));
    EXPECT_TRUE(admin.execute("DROP TABLE public.ducklake_inlined_data_1_1"));
}

TEST_F(Bootstrap, RefusesToAWriterWhatWouldRunAsSomebodyElse) {
    open_lake();
    Connection writer = member("lake_writer");
    for (const char* sql :
         {"CREATE FUNCTION public.lower(varchar) RETURNS text LANGUAGE sql AS 'SELECT 1::text'",
          "CREATE VIEW public.ducklake_inlined_data_9_9 AS SELECT query_to_xml('SELECT 1', true, true, '')",
          "CREATE TABLE public.ducklake_inlined_data_9_9 (a int CHECK (lo_creat(a) > 0))",
          "CREATE TABLE public.ducklake_inlined_data_9_9 (a oid DEFAULT lo_creat(1))",
          "ALTER TABLE public.ducklake_metadata DISABLE TRIGGER ALL"}) {
        EXPECT_EQ(writer.execute(sql).error().kind, ErrorKind::permission) << sql;
    }
    EXPECT_TRUE(owner().execute("CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"));
}

// A managed PostgreSQL: the box's role owns the database and is no superuser.
class External : public Bootstrap {
  protected:
    config::Settings lease(const std::string& role_options) {
        Connection connection = server_.connect("boathouse", "postgres").value();
        connection.execute("CREATE ROLE cloud LOGIN PASSWORD 'c' " + role_options).value();
        connection.execute("CREATE DATABASE lakehouse OWNER cloud").value();
        config::Settings settings = server_.settings();
        settings.catalog = Secret("postgresql://cloud:c@/lakehouse?host=" + settings.data_dir + "/run");
        return settings;
    }

    void open_leased_lake(const config::Settings& settings) {
        prepare_server(settings).value();
        Connection cloud = server_.connect("cloud", "lakehouse", Secret("c")).value();
        create_lake_tables(cloud);
        tune_catalog(settings).value();
        tune_catalog(settings).value();
    }
};

TEST_F(External, GrantsWhatARoleWithoutSuperuserMay) {
    open_leased_lake(lease("CREATEROLE"));
    Connection reader = member("lake_reader");
    EXPECT_TRUE(reader.query("SELECT * FROM public.ducklake_snapshot"));
    EXPECT_FALSE(reader.execute("DELETE FROM public.ducklake_snapshot"));
    Connection cloud = server_.connect("cloud", "lakehouse", Secret("c")).value();
    cloud.execute("CREATE TABLE public.ducklake_inlined_data_1_1 (a int)").value();
    EXPECT_TRUE(reader.query("SELECT * FROM public.ducklake_inlined_data_1_1"));
    EXPECT_EQ(read_version_guard(cloud).value(), GuardState::active);
}

TEST_F(External, GoesOnWithWhatIsThereWhenItMayNotMakeRoles) {
    open_leased_lake(lease(""));
    Connection cloud = server_.connect("cloud", "lakehouse", Secret("c")).value();
    EXPECT_TRUE(cloud.query("SELECT 1 FROM pg_roles WHERE rolname = 'lake_reader'").value().empty());
    EXPECT_EQ(read_lake_record(cloud).value().version, "1.0");
    EXPECT_EQ(read_version_guard(cloud).value(), GuardState::active);
}

TEST_F(Bootstrap, GuardsTheVersionUntilItIsLifted) {
    open_lake();
    Connection admin = owner();
    for (const char* sql :
         {"UPDATE public.ducklake_metadata SET value = '1.1' WHERE key = 'version'",
          "DELETE FROM public.ducklake_metadata WHERE key = 'version'",
          "INSERT INTO public.ducklake_metadata VALUES ('version', '1.1')", "TRUNCATE public.ducklake_metadata"}) {
        const auto refused = admin.execute(sql);
        ASSERT_FALSE(refused) << sql;
        EXPECT_NE(refused.error().hint.find("boathouse migrate"), std::string::npos) << sql;
    }
    EXPECT_TRUE(admin.execute("UPDATE public.ducklake_metadata SET value = value"));
    EXPECT_TRUE(admin.execute("INSERT INTO public.ducklake_metadata VALUES ('target_file_size', '1')"));

    Connection box = superuser();
    set_version_guard(box, false).value();
    tune_catalog(server_.settings()).value();
    EXPECT_EQ(read_version_guard(box).value(), GuardState::lifted);
    EXPECT_TRUE(admin.execute("UPDATE public.ducklake_metadata SET value = '1.1' WHERE key = 'version'"));
    set_version_guard(box, true).value();
    EXPECT_FALSE(admin.execute("UPDATE public.ducklake_metadata SET value = '1.0' WHERE key = 'version'"));
}

}  // namespace
}  // namespace boathouse::catalog
