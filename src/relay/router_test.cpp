#include "relay/router.hpp"

#include <gtest/gtest.h>

namespace boathouse::relay {
namespace {

const Vocabulary& vocabulary() {
    static const Vocabulary kVocabulary{{"pg_class", "pg_namespace", "pg_tables", "pg_type", "pg_attribute"},
                                        {"tables", "columns"}};
    return kVocabulary;
}

Route routed(const std::string& text, const std::vector<std::string>& search_path = {"public"}) {
    const auto statements = syntax::parse(text);
    EXPECT_TRUE(statements) << text;
    return route(statements->at(0), vocabulary(), search_path);
}

Brain brain(const std::string& text, const std::vector<std::string>& search_path = {"public"}) {
    const Route decided = routed(text, search_path);
    EXPECT_FALSE(decided.refusal) << text << ": " << decided.refusal->message;
    return decided.brain;
}

std::string refusal(const std::string& text) {
    const Route decided = routed(text);
    return decided.refusal ? decided.refusal->sqlstate : "answered";
}

TEST(Router, GivesPostgresqlWhatNamesItsRelations) {
    for (const char* text :
         {"SELECT * FROM pg_class", "SELECT * FROM pg_catalog.pg_class c JOIN pg_namespace n ON n.oid = relnamespace",
          "SELECT * FROM information_schema.tables", "SELECT (SELECT count(*) FROM pg_class)", "TABLE pg_class",
          "WITH x AS (SELECT * FROM pg_class) SELECT * FROM x", "EXPLAIN SELECT * FROM pg_class",
          "SELECT 1 FROM generate_series(1, 2), pg_class", "SELECT * FROM pg_catalog.no_such_thing"}) {
        EXPECT_EQ(brain(text), Brain::postgres) << text;
    }
}

TEST(Router, FindsALakesTableWhateverItIsCalled) {
    for (const char* text :
         {"SELECT * FROM pg_something", "SELECT * FROM tables", "SELECT * FROM public.pg_class",
          "SELECT * FROM lake.main.pg_class", "SELECT * FROM s.tables", "INSERT INTO tables VALUES (1)",
          "WITH pg_class AS (SELECT 1) SELECT * FROM pg_class, t"}) {
        EXPECT_EQ(brain(text), Brain::duckdb) << text;
    }
}

TEST(Router, FollowsTheSearchPath) {
    EXPECT_EQ(brain("SELECT * FROM tables", {"public", "information_schema"}), Brain::postgres);
    EXPECT_EQ(brain("SELECT * FROM pg_class", {}), Brain::postgres);
    EXPECT_EQ(brain("SELECT * FROM columns", {"information_schema"}), Brain::postgres);
    EXPECT_EQ(brain("SELECT * FROM columns", {"public"}), Brain::duckdb);
}

TEST(Router, LeavesStatementsWithoutRelationsToDuckdb) {
    for (const char* text :
         {"SELECT 1", "SELECT now()", "SELECT to_char(1, '9')", "SELECT upper(current_user)",
          "SELECT * FROM duckdb_tables() WHERE schema_name = current_schema()",
          "SELECT path FROM ducklake_list_files('lake', 't')", "SELECT extract(year FROM now())",
          "SELECT 'a' SIMILAR TO 'b' ESCAPE 'c'", "SELECT quote_ident('a')::name", "SELECT lower('A')", "VALUES (1)",
          "SELECT pg_typeof(1)", "SELECT set_config('jit', 'off', false)", "CREATE TABLE t (a int)",
          "SELECT * FROM range(3)"}) {
        EXPECT_EQ(brain(text), Brain::duckdb) << text;
    }
}

TEST(Router, GivesPostgresqlFunctionsAndTypesThatItAloneHas) {
    for (const char* text :
         {"SELECT version()", "SELECT current_user", "SELECT pg_catalog.format_type(23, -1)", "SELECT 1::oid",
          "SELECT 't'::regclass", "SELECT 't'::regclass::oid", "SELECT pg_get_viewdef(1)", "SELECT current_schema",
          "SELECT has_table_privilege('t', 'SELECT')", "SELECT lower(current_schema())"}) {
        EXPECT_EQ(brain(text), Brain::postgres) << text;
    }
}

TEST(Router, LetsBothSayWhoTheClientIs) {
    EXPECT_EQ(brain("SELECT current_user, session_user, current_database()"), Brain::postgres);
    EXPECT_EQ(brain("SELECT current_user FROM t"), Brain::duckdb);
    EXPECT_EQ(brain("INSERT INTO t VALUES (current_user)"), Brain::duckdb);
    EXPECT_EQ(brain("SELECT current_user FROM pg_class"), Brain::postgres);
}

TEST(Router, PassesOverTextsThatNameNothingOfPostgresqls) {
    EXPECT_FALSE(may_be_postgres("SELECT count(*), sum(amount) FROM sales WHERE at > now()"));
    for (const char* text : {"SELECT * FROM PG_CLASS", "SELECT Version()", "SELECT 1::REGTYPE",
                             "SELECT * FROM U&\"\\0070g_class\"", "TABLE Information_Schema.columns", "SELECT USER",
                             "SELECT has_table_privilege('t', 'SELECT')", "SELECT obj_description(1)"}) {
        EXPECT_TRUE(may_be_postgres(text)) << text;
    }
}

TEST(Router, RefusesWhatNeitherCouldAnswer) {
    for (const char* text :
         {"SELECT * FROM t JOIN pg_class ON true", "INSERT INTO t SELECT relname FROM pg_class",
          "CREATE TABLE t AS SELECT * FROM pg_class", "SELECT version() FROM t",
          "SELECT * FROM t WHERE a = 't'::regclass", "CREATE VIEW v AS SELECT * FROM information_schema.tables"}) {
        EXPECT_EQ(refusal(text), "0A000") << text;
    }
    EXPECT_EQ(refusal("DELETE FROM pg_class"), "42501");
    EXPECT_EQ(routed("SELECT * FROM t, pg_class").refusal->position, 18U);
}

TEST(Router, GivesPostgresqlWhatIsAboutRoles) {
    for (const char* text :
         {"CREATE ROLE a", "CREATE USER a PASSWORD 'x'", "ALTER USER a NOLOGIN", "DROP ROLE a",
          "ALTER ROLE a SET statement_timeout = '5s'", "GRANT lake_reader TO a", "REVOKE lake_reader FROM a"}) {
        EXPECT_TRUE(may_be_postgres(text)) << text;
        EXPECT_EQ(brain(text), Brain::postgres) << text;
        EXPECT_TRUE(routed(text).changes_roles) << text;
    }
    EXPECT_FALSE(routed("SELECT * FROM pg_roles").changes_roles);
    for (const char* text : {"GRANT SELECT ON t TO a", "REVOKE ALL ON t FROM a", "REASSIGN OWNED BY a TO b",
                             "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO a"}) {
        EXPECT_TRUE(may_be_postgres(text)) << text;  // told apart by syntax::privilege_statement
    }
}

TEST(Router, SaysWhy) {
    EXPECT_EQ(routed("SELECT * FROM pg_class").reason, "postgres: relation pg_class");
    EXPECT_EQ(routed("SELECT version()").reason, "postgres: function version");
    EXPECT_EQ(routed("SELECT * FROM t").reason, "duckdb: relation t");
}

}  // namespace
}  // namespace boathouse::relay
