// The mirror of a real lake in a real PostgreSQL. Tests share both, and keep to schemas of their own.
#include "mirror/mirror.hpp"

#include <gmock/gmock.h>

#include "catalog/bootstrap.hpp"
#include "engine/scratch_lake.hpp"
#include "engine/session.hpp"
#include "mirror/database.hpp"

namespace boathouse::mirror {
namespace {

using catalog::Row;
using catalog::Rows;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MirrorTest : public ::testing::Test {
  protected:
    struct World : engine::ScratchLake {
        std::unique_ptr<Mirror> mirror = std::make_unique<Mirror>(settings, *lake);
        std::unique_ptr<engine::Session> session = engine::Session::open(*lake, {}).value();
    };

    static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
    static void TearDownTestSuite() { world_.reset(); }

    static void lake(const std::string& sql) {
        auto parsed = world_->session->parse(sql);
        ASSERT_TRUE(parsed) << sql << ": " << parsed.error().message;
        auto stream = world_->session->run(std::move(*parsed));
        ASSERT_TRUE(stream) << sql << ": " << stream.error().message;
        pgwire::Buffer rows;
        const auto done = (*stream)->encode(rows, {});
        ASSERT_TRUE(done) << sql << ": " << done.error().message;
    }

    // As the lake's owner, as the relay will come in.
    static catalog::Connection client(const std::string& role = "admin") {
        return catalog::Connection::open(world_->mirror->endpoint_for(role)).value();
    }
    static Rows mirror(const std::string& sql) {
        world_->mirror->catch_up().value();
        return client().query(sql).value();
    }
    static std::string value(const std::string& sql) { return mirror(sql).at(0).at(0).value_or("NULL"); }

    static Rows columns(const std::string& table) {
        return mirror(
            "SELECT attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid) "
            "FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = '" +
            table + "'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum");
    }

    static std::unique_ptr<World> world_;
};

std::unique_ptr<MirrorTest::World> MirrorTest::world_;

TEST_F(MirrorTest, ShowsATableWithTypesDefaultsAndNulls) {
    lake(
        "CREATE TABLE main.shown (a int NOT NULL, b varchar DEFAULT 'it''s', c decimal(10,2) DEFAULT 4.5, "
        "d struct(x int, y varchar[]), e int[][], f bool DEFAULT true, g hugeint, h timestamptz, i decimal(5,1)[], "
        "j json, k tinyint)");
    EXPECT_THAT(
        columns("public.shown"),
        ElementsAre(Row{"a", "integer", "t", std::nullopt}, Row{"b", "text", "f", "'it''s'::text"},
                    Row{"c", "numeric(10,2)", "f", "4.5"}, Row{"d", "json", "f", std::nullopt},
                    Row{"e", "integer[]", "f", std::nullopt}, Row{"f", "boolean", "f", "true"},
                    Row{"g", "numeric", "f", std::nullopt}, Row{"h", "timestamp with time zone", "f", std::nullopt},
                    Row{"i", "numeric(5,1)[]", "f", std::nullopt}, Row{"j", "json", "f", std::nullopt},
                    Row{"k", "smallint", "f", std::nullopt}));
    EXPECT_EQ(value("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'public.shown'::regclass"), "admin");
}

TEST_F(MirrorTest, FollowsATableThroughEveryChangeWithoutLosingItsIdentity) {
    lake("CREATE TABLE main.changing (a int, b int, c int)");
    const std::string oid = value("SELECT 'public.changing'::regclass::oid");
    lake("ALTER TABLE main.changing ADD COLUMN d varchar DEFAULT 'x'");
    lake("ALTER TABLE main.changing ALTER COLUMN a TYPE bigint");
    lake("ALTER TABLE main.changing DROP COLUMN b");
    EXPECT_THAT(columns("public.changing"),
                ElementsAre(Row{"a", "bigint", "f", std::nullopt}, Row{"c", "integer", "f", std::nullopt},
                            Row{"d", "text", "f", "'x'::text"}));
    // Names exchanged between two looks.
    lake("ALTER TABLE main.changing RENAME COLUMN a TO z");
    lake("ALTER TABLE main.changing RENAME COLUMN c TO a");
    lake("ALTER TABLE main.changing RENAME COLUMN z TO c");
    lake("ALTER TABLE main.changing ALTER COLUMN d SET DEFAULT 'w'");
    lake("COMMENT ON TABLE main.changing IS 'of the \\ lake''s'");
    lake("COMMENT ON COLUMN main.changing.d IS 'a column'");
    EXPECT_THAT(columns("public.changing"),
                ElementsAre(Row{"c", "bigint", "f", std::nullopt}, Row{"a", "integer", "f", std::nullopt},
                            Row{"d", "text", "f", "'w'::text"}));
    lake("ALTER TABLE main.changing RENAME TO changed");
    lake("CREATE TABLE main.changing (other date)");
    EXPECT_EQ(value("SELECT 'public.changed'::regclass::oid"), oid);
    EXPECT_EQ(value("SELECT obj_description('public.changed'::regclass, 'pg_class')"), "of the \\ lake's");
    EXPECT_EQ(value("SELECT col_description('public.changed'::regclass, 1)"), "NULL");
    EXPECT_EQ(value("SELECT col_description(attrelid, attnum) FROM pg_attribute WHERE attname = 'd' AND attrelid = "
                    "'public.changed'::regclass"),
              "a column");
    lake("DROP TABLE main.changed");
    EXPECT_EQ(value("SELECT to_regclass('public.changed') IS NULL"), "t");
    EXPECT_EQ(columns("public.changing").at(0).at(0), "other");
}

TEST_F(MirrorTest, ShowsPartitioningAndStatistics) {
    lake("CREATE TABLE main.parted (a int, t timestamp)");
    lake("ALTER TABLE main.parted SET PARTITIONED BY (a, year(t))");
    lake("INSERT INTO main.parted SELECT i % 3, now()::timestamp FROM range(1000) r(i)");
    EXPECT_EQ(value("SELECT obj_description('public.parted'::regclass)"), "[partitioned by a, year(t)]");
    EXPECT_EQ(value("SELECT reltuples FROM pg_class WHERE oid = 'public.parted'::regclass"), "1000");
    EXPECT_NE(value("SELECT relpages FROM pg_class WHERE oid = 'public.parted'::regclass"), "0");
}

TEST_F(MirrorTest, ShowsAViewWithItsColumnsAndItsDefinitionAsAText) {
    lake("CREATE TABLE main.below (a int, b decimal(7,3))");
    lake("CREATE VIEW main.above (x, y, n) AS SELECT a, b, count(*) FROM main.below GROUP BY ALL");
    EXPECT_THAT(columns("public.above"),
                ElementsAre(Row{"x", "integer", "f", std::nullopt}, Row{"y", "numeric(7,3)", "f", std::nullopt},
                            Row{"n", "bigint", "f", std::nullopt}));
    EXPECT_THAT(value("SELECT pg_get_viewdef('public.above'::regclass)"),
                HasSubstr("'SELECT a, b, count_star() AS count FROM"));
    // Its columns follow those of the table.
    lake("ALTER TABLE main.below ALTER COLUMN a TYPE bigint");
    EXPECT_EQ(columns("public.above").at(0).at(1), "bigint");
    lake("DROP TABLE main.below");
    EXPECT_THAT(columns("public.above"), IsEmpty()) << "it stands there, and has no columns that anybody could tell";
    lake("DROP VIEW main.above");
    EXPECT_EQ(value("SELECT to_regclass('public.above') IS NULL"), "t");
}

TEST_F(MirrorTest, ShowsMacrosAsFunctionsThatRefuseToRun) {
    lake("CREATE MACRO main.add_up(p, q := 5) AS p + q");
    lake("CREATE MACRO main.rows_of(n) AS TABLE SELECT n AS one");
    EXPECT_EQ(value("SELECT pg_get_function_arguments('public.add_up'::regproc)"), "p text, q text DEFAULT NULL::text");
    EXPECT_THAT(value("SELECT pg_get_functiondef('public.add_up'::regproc)"), HasSubstr("-- (p + q)"));
    const auto called = client().query("SELECT public.add_up('1')");
    ASSERT_FALSE(called);
    EXPECT_THAT(called.error().message, HasSubstr("a macro of the lake cannot be called"));
    EXPECT_EQ(value("SELECT proretset FROM pg_proc WHERE oid = 'public.rows_of'::regproc"), "t");
    lake("DROP MACRO main.add_up");
    EXPECT_EQ(value("SELECT to_regproc('public.add_up') IS NULL"), "t");
}

TEST_F(MirrorTest, KeepsNamesOfAnyKind) {
    const std::string long_name(70, 'x');
    lake("CREATE SCHEMA \"Odd \"\"one\"\"\"");
    lake("CREATE TABLE \"Odd \"\"one\"\"\".\"select\" (\"from\" int, \"Größe; DROP\" int)");
    lake("CREATE TABLE \"Odd \"\"one\"\"\".\"" + long_name + "\" (a int)");
    lake("CREATE TABLE \"Odd \"\"one\"\"\".\"" + long_name + "y\" (a int)");
    lake("CREATE SCHEMA pg_of_the_lake");
    lake("CREATE TABLE pg_of_the_lake.t (a int)");
    lake("CREATE TABLE main.pg_class (a int)");
    const Rows names = columns("\"Odd \"\"one\"\"\".\"select\"");
    EXPECT_EQ(names.at(0).at(0), "from");
    EXPECT_EQ(names.at(1).at(0), "Größe; DROP");
    EXPECT_EQ(value("SELECT count(*) FROM pg_class WHERE relnamespace = '\"Odd \"\"one\"\"\"'::regnamespace"), "3");
    EXPECT_EQ(value("SELECT count(*) FROM pg_namespace WHERE nspname ~ '^_pg_of_the_lake~[0-9]+$'"), "1");
    EXPECT_EQ(value("SELECT relkind FROM pg_class WHERE oid = 'public.pg_class'::regclass"), "r");
    lake("DROP SCHEMA \"Odd \"\"one\"\"\" CASCADE");
    lake("DROP SCHEMA pg_of_the_lake CASCADE");
    EXPECT_EQ(value("SELECT count(*) FROM pg_namespace WHERE nspname ~ 'Odd|lake'"), "0");
}

TEST_F(MirrorTest, GivesThePublicSchemaOfTheLakeItsName) {
    lake("CREATE TABLE main.before_public (a int)");
    const std::string oid = value("SELECT 'public.before_public'::regclass::oid");
    lake("CREATE SCHEMA public");
    lake("CREATE TABLE lake.public.within (a int)");
    EXPECT_EQ(value("SELECT 'main.before_public'::regclass::oid"), oid);
    EXPECT_EQ(value("SELECT to_regclass('public.within') IS NOT NULL"), "t");
    lake("DROP SCHEMA public CASCADE");
    EXPECT_EQ(value("SELECT 'public.before_public'::regclass::oid"), oid);
}

// Whatever was there is what a mirror made from nothing has.
TEST_F(MirrorTest, CanBeDroppedAndIsMadeAgainTheSame) {
    lake("CREATE TABLE main.lasting (a int NOT NULL, b varchar DEFAULT 'x')");
    const char* kEverything =
        "SELECT n.nspname, c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, "
        "pg_get_expr(adbin, adrelid), obj_description(c.oid), col_description(c.oid, a.attnum) FROM pg_class c JOIN "
        "pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND NOT attisdropped AND "
        "attnum > 0 LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE n.nspname !~ '^pg_|^inform' "
        "ORDER BY n.nspname, c.relname, a.attnum";
    const Rows before = mirror(kEverything);
    auto server = world_->postgres.connect("boathouse", "postgres").value();
    catalog::drop_mirror(server, world_->settings).value();
    world_->mirror->distrust();
    EXPECT_EQ(mirror(kEverything), before);
    EXPECT_FALSE(before.empty());
}

// What a server leaves of a database when it dies while dropping it, as PostgreSQL's own tests make it.
TEST_F(MirrorTest, IsMadeAnewWhereItsDropWasCutShort) {
    lake("CREATE TABLE main.before_drop (a int)");
    world_->mirror->catch_up().value();
    auto server = world_->postgres.connect("boathouse", "postgres").value();
    server.query("UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'lake'").value();
    EXPECT_FALSE(catalog::Connection::open(world_->mirror->endpoint_for("admin"))) << "it can still be entered";
    world_->mirror->distrust();
    EXPECT_EQ(value("SELECT to_regclass('public.before_drop') IS NOT NULL"), "t");
}

TEST_F(MirrorTest, RecoversFromAServerThatWasKilled) {
    lake("CREATE TABLE main.before_crash (a int)");
    world_->mirror->catch_up().value();
    world_->postgres.crash();
    world_->postgres.start();
    EXPECT_EQ(value("SELECT to_regclass('public.before_crash') IS NOT NULL"), "t");
}

TEST_F(MirrorTest, TakesMoreTablesThanOneTransactionMayLock) {
    lake("CREATE SCHEMA crowd");
    world_->session->begin().value();
    for (std::size_t i = 0; i < kObjectsPerTransaction + 10; ++i) {
        lake("CREATE TABLE crowd.t" + std::to_string(i) + " (a int)");
    }
    world_->session->commit().value();
    const std::string count = std::to_string(kObjectsPerTransaction + 10);
    EXPECT_EQ(value("SELECT count(*) FROM pg_class WHERE relnamespace = 'crowd'::regnamespace"), count);
    lake("DROP SCHEMA crowd CASCADE");
    EXPECT_EQ(value("SELECT count(*) FROM pg_namespace WHERE nspname = 'crowd'"), "0");
}

// What a client's role could leave here, another's, or the box's own, could be made to run.
TEST_F(MirrorTest, LetsNobodyCreateAnything) {
    lake("CREATE TABLE main.guarded (a int)");
    world_->mirror->catch_up().value();
    catalog::Connection admin = client();
    for (const char* sql :
         {"CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE TABLE public.t2 (a int)",
          "CREATE TEMP TABLE t2 (a int)", "CREATE VIEW public.v2 AS SELECT 1", "CREATE SCHEMA s2",
          "CREATE RULE r AS ON INSERT TO public.guarded DO ALSO NOTIFY x", "ALTER TABLE public.guarded ADD b int",
          "CREATE OPERATOR public.=== (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int)", "DROP TABLE public.guarded",
          "CREATE TYPE public.e AS ENUM ('a')", "COMMENT ON TABLE public.guarded IS 'x'",
          "CREATE INDEX ON public.guarded (a)", "DROP EVENT TRIGGER boathouse_refuse",
          "SELECT * FROM pg_boathouse.state", "SELECT pg_boathouse.set_statistics('{}', '{}', '{}')",
          "DROP DATABASE lake",
          "CREATE TRIGGER x BEFORE INSERT ON public.guarded FOR EACH ROW EXECUTE FUNCTION "
          "suppress_redundant_updates_trigger()"}) {
        const auto refused = admin.execute(sql);
        ASSERT_FALSE(refused) << sql;
        EXPECT_EQ(refused.error().kind, ErrorKind::permission) << sql << ": " << refused.error().message;
    }
}

}  // namespace
}  // namespace boathouse::mirror
