#include "syntax/rewrite.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boathouse::syntax {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string rewritten(std::string_view text) {
    const auto result = rewrite(text);
    return result ? result->text : "refused: " + result.error().message;
}

Refusal refusal(std::string_view text) {
    const auto result = rewrite(text);
    EXPECT_FALSE(result) << text << " became " << (result ? result->text : "");
    return result ? Refusal{} : result.error();
}

TEST(Rewrite, TakesTheCatalogFromTypesInQuotesToo) {
    EXPECT_EQ(rewritten("SELECT $1::\"pg_catalog\".\"int4\"::text"), "SELECT $1:: \"int4\"::text");
}

TEST(Rewrite, QuotesNamesThatAreDuckdbsWords) {
    EXPECT_EQ(rewritten("SELECT At, t.qualify FROM t"), "SELECT \"at\", t.\"qualify\" FROM t");
    EXPECT_EQ(rewritten("INSERT INTO t (at) VALUES (1)"), "INSERT INTO t (\"at\") VALUES (1)");
    for (const char* text :
         {"SELECT now() AT TIME ZONE 'UTC'", "SELECT \"At\" FROM t", "SELECT * FROM t AT (VERSION => 3)",
          "SELECT a FROM t QUALIFY row_number() OVER () = 1", "SELECT list_filter(a, lambda x: x > 1) FROM t"}) {
        EXPECT_EQ(rewritten(text), text);
    }
}

TEST(Rewrite, LeavesWhatBothReadAlike) {
    for (const std::string text :
         {"SELECT a, b FROM t WHERE a = 'x ~ y' -- ~", "INSERT INTO t VALUES (1, E'a\\nb')",
          "FROM t SELECT * EXCLUDE (a)", "SELECT a FROM t ORDER BY #1", "SELECT substring(a FROM 1 FOR 2)"}) {
        EXPECT_EQ(rewritten(text), text);
    }
}

TEST(Rewrite, SpellsOperatorsAsDuckdbsParserTakesThem) {
    EXPECT_EQ(rewritten("SELECT a ~ 'x', a !~ 'x'"), "SELECT a @~ 'x', a !@~ 'x'");
    EXPECT_EQ(rewritten("SELECT ~ 5, - ~ a"), "SELECT ~ 5, - ~ a");
    EXPECT_EQ(rewritten("SELECT j #>> '{a}', j #> '{a}'"), "SELECT j @~/>> '{a}', j @~/> '{a}'");
    EXPECT_EQ(rewritten("SELECT a NOT ILIKE ALL (ARRAY['x'])"), "SELECT a !~~*@& (ARRAY['x'])");
    EXPECT_EQ(rewritten("SELECT a LIKE ANY (SELECT b FROM t)"), "SELECT a ~~@| ARRAY (SELECT b FROM t)");
    EXPECT_EQ(rewritten("SELECT a NOT SIMILAR TO 'x%'"), "SELECT a !@~~ 'x%'");
    EXPECT_EQ(rewritten("SELECT b'01', x'1f'"), "SELECT CAST('01' AS BIT), CAST('00011111' AS BIT)");
}

TEST(Rewrite, SpellsOperatorsInDuckdbsGrammarToo) {
    EXPECT_EQ(rewritten("FROM t WHERE a ~ 'x'"), "FROM t WHERE a @~ 'x'");
}

TEST(Rewrite, ResolvesUnicodeEscapes) {
    EXPECT_EQ(rewritten("SELECT E'\\u00e4\\n'"), "SELECT E'ä\\n'");
    EXPECT_EQ(rewritten("SELECT U&'d\\0061t\\+000061'"), "SELECT 'data'");
    EXPECT_EQ(rewritten("SELECT E'\\uD83D\\uDE00'"), "SELECT E'😀'");
    EXPECT_EQ(rewritten("SELECT E'a\\u0027b'"), "SELECT E'a''b'");
    EXPECT_EQ(refusal("SELECT U&'\\D83D'").sqlstate, "42601");
}

TEST(Rewrite, DropsRowLocksAndSaysSo) {
    const auto result = rewrite("SELECT a FROM (SELECT a FROM t FOR SHARE) s FOR UPDATE OF s NOWAIT LIMIT 1");
    ASSERT_TRUE(result);
    EXPECT_EQ(result->text, "SELECT a FROM (SELECT a FROM t  ) s   LIMIT 1");
    EXPECT_THAT(result->notices, SizeIs(1));
}

TEST(Rewrite, TakesKeysOutOfTables) {
    const auto result = rewrite(
        "CREATE TABLE t (id int PRIMARY KEY, b text UNIQUE NOT NULL, c int REFERENCES p (id) DEFAULT 1, PRIMARY KEY "
        "(b, c))");
    ASSERT_TRUE(result);
    EXPECT_EQ(result->text, "CREATE TABLE t (id int NOT NULL , b text  NOT NULL, c int  DEFAULT 1 NOT NULL )");
    ASSERT_THAT(result->notices, SizeIs(1));
    EXPECT_TRUE(result->notices[0].is_warning);
}

TEST(Rewrite, LeavesTemporaryTablesTheirConstraints) {
    const std::string text = "CREATE TEMP TABLE t (id int PRIMARY KEY CHECK (id > 0))";
    EXPECT_EQ(rewritten(text), text);
}

TEST(Rewrite, RefusesRulesThatWouldBeLost) {
    const std::string text = "CREATE TABLE t (a int, b int CHECK (b > 0))";
    EXPECT_EQ(refusal(text).sqlstate, "0A000");
    EXPECT_EQ(refusal(text).offset, text.find("CHECK"));
    EXPECT_EQ(refusal("CREATE TABLE t (id serial)").sqlstate, "0A000");
    EXPECT_EQ(refusal("ALTER TABLE t ADD COLUMN id bigserial").sqlstate, "0A000");
}

TEST(Rewrite, AnswersWhatHasNothingToDo) {
    EXPECT_EQ(rewrite("CREATE INDEX i ON t (a)")->done, "CREATE INDEX");
    EXPECT_EQ(rewrite("VACUUM ANALYZE t")->done, "VACUUM");
    EXPECT_EQ(rewrite("ALTER TABLE t ADD PRIMARY KEY (a)")->done, "ALTER TABLE");
    EXPECT_EQ(rewrite("ALTER TABLE t ADD COLUMN a int")->done, "");
}

TEST(Rewrite, AnswersActionsThatChangeNothing) {
    EXPECT_EQ(rewrite("ALTER TABLE t DISABLE TRIGGER ALL, SET (fillfactor = 70)")->done, "ALTER TABLE");
    EXPECT_THAT(rewrite("ALTER TABLE t DROP CONSTRAINT a, DROP CONSTRAINT b")->notices, SizeIs(1));
    EXPECT_EQ(rewrite("ALTER TABLE t DISABLE TRIGGER ALL, ADD COLUMN a int")->done, "");
    EXPECT_EQ(rewrite("SET CONSTRAINTS ALL DEFERRED")->done, "SET CONSTRAINTS");
    EXPECT_EQ(rewrite("DROP TRIGGER IF EXISTS x ON t")->done, "DROP TRIGGER");
    EXPECT_EQ(refusal("DROP TRIGGER x ON t").sqlstate, "42704");
    EXPECT_EQ(rewrite("DROP TABLE IF EXISTS t")->done, "");
}

TEST(Rewrite, RefusesByNameWhatTheLakeHasNothingFor) {
    EXPECT_THAT(refusal("CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()").message,
                HasSubstr("triggers"));
    EXPECT_THAT(refusal("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'").hint, HasSubstr("CREATE MACRO"));
    EXPECT_THAT(refusal("CREATE MATERIALIZED VIEW v AS SELECT 1").message, HasSubstr("materialized"));
    EXPECT_THAT(refusal("ALTER TABLE t ENABLE ROW LEVEL SECURITY").message, HasSubstr("row-level"));
    const std::string like = "CREATE TABLE u (LIKE t)";
    EXPECT_EQ(refusal(like).offset, like.find("t)"));
    const std::string into = "WITH a AS (SELECT 1) SELECT 1 INTO u UNION SELECT 2";
    EXPECT_EQ(refusal(into).offset, into.find("u UNION"));
    const std::string writing = "WITH a AS (SELECT 1), b AS (DELETE FROM t RETURNING x) SELECT * FROM b";
    EXPECT_EQ(refusal(writing).offset, writing.find("b AS"));
    const std::string symmetric = "SELECT 1 BETWEEN SYMMETRIC 2 AND 0";
    EXPECT_EQ(refusal(symmetric).offset, symmetric.find("SYMMETRIC"));
    EXPECT_EQ(rewritten("CREATE VIEW v AS SELECT 1"), "CREATE VIEW v AS SELECT 1");
    EXPECT_EQ(rewritten("ALTER TABLE a RENAME TO b"), "ALTER TABLE a RENAME TO b");
}

TEST(Rewrite, LeavesToExplainWhatDuckdbKnows) {
    EXPECT_EQ(rewritten("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT 1"), "EXPLAIN (ANALYZE, FORMAT json) SELECT 1");
    EXPECT_EQ(rewritten("EXPLAIN (ANALYZE off, COSTS off) SELECT 1"), "EXPLAIN SELECT 1");
    EXPECT_EQ(rewritten("EXPLAIN ANALYZE VERBOSE SELECT 1"), "EXPLAIN (ANALYZE) SELECT 1");
    EXPECT_EQ(rewritten("EXPLAIN (VERBOSE) SELECT (1)"), "EXPLAIN SELECT (1)");
    EXPECT_EQ(rewritten("EXPLAIN (NOSUCH) SELECT 1"), "EXPLAIN (NOSUCH) SELECT 1");
    EXPECT_EQ(rewritten("EXPLAIN SELECT 1"), "EXPLAIN SELECT 1");
}

TEST(Rewrite, SamplesAPercentage) {
    EXPECT_EQ(rewritten("SELECT * FROM t TABLESAMPLE SYSTEM (10) REPEATABLE (3)"),
              "SELECT * FROM t TABLESAMPLE SYSTEM (10 PERCENT) REPEATABLE (3)");
    EXPECT_EQ(rewritten("SELECT * FROM t TABLESAMPLE reservoir(10)"), "SELECT * FROM t TABLESAMPLE reservoir(10)");
}

TEST(Rewrite, RefusesAddedColumnsThatAreNotNull) {
    const std::string text = "ALTER TABLE t ADD COLUMN a int DEFAULT 1 NOT NULL";
    EXPECT_EQ(refusal(text).offset, text.find("NOT NULL"));
    EXPECT_EQ(refusal("ALTER TABLE t ADD a int PRIMARY KEY").sqlstate, "0A000");
    EXPECT_EQ(refusal("ALTER TABLE t ADD CHECK (a > 0)").sqlstate, "0A000");
}

TEST(Rewrite, TakesCollationByBytes) {
    EXPECT_EQ(rewritten("CREATE TABLE t (a text COLLATE \"C\" NOT NULL, b text COLLATE pg_catalog.\"POSIX\")"),
              "CREATE TABLE t (a text   NOT NULL, b text  )");
}

TEST(Rewrite, MakesAMergeOfOnConflict) {
    const auto result =
        rewrite("INSERT INTO s.t AS x (k, v) VALUES (1, 2) ON CONFLICT (k) DO UPDATE SET v = excluded.v WHERE x.v < 5");
    ASSERT_TRUE(result);
    EXPECT_THAT(result->text, HasSubstr("MERGE INTO s.t AS x USING (SELECT * FROM ( VALUES (1, 2) ) AS excluded"));
    EXPECT_THAT(result->text, HasSubstr("ON (\"x\".\"k\" = excluded.\"k\")"));
    EXPECT_THAT(result->text, HasSubstr("WHEN MATCHED AND ( x.v < 5) THEN UPDATE SET v = excluded.v"));
    EXPECT_EQ(result->tag, "INSERT");
    EXPECT_EQ(refusal("INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING").sqlstate, "0A000");
    EXPECT_EQ(refusal("INSERT INTO t (a) VALUES (DEFAULT) ON CONFLICT (a) DO NOTHING").sqlstate, "0A000");
}

TEST(Rewrite, GivesEachOfSeveralObjectsAStatement) {
    EXPECT_EQ(rewritten("DROP TABLE IF EXISTS a, s.b"), "DROP TABLE IF EXISTS a; DROP TABLE IF EXISTS  s.b");
    EXPECT_EQ(rewritten("DROP SCHEMA a, b CASCADE;"), "DROP SCHEMA a CASCADE ; DROP SCHEMA  b CASCADE;");
    EXPECT_EQ(rewritten("TRUNCATE ONLY a RESTART IDENTITY CASCADE"), "TRUNCATE ONLY a    ");
    const std::string text = "ALTER TABLE m.t ADD a numeric(4, 2) DEFAULT 1, DROP COLUMN b";
    const auto result = rewrite(text);
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->is_several);
    EXPECT_EQ(result->text, "ALTER TABLE m.t ADD a numeric(4, 2) DEFAULT 1; ALTER TABLE m.t  DROP COLUMN b");
    EXPECT_EQ(result->positions.to_client(result->text.find("DROP")), text.find("DROP"));
    EXPECT_FALSE(rewrite("DROP TABLE a")->is_several);
}

TEST(Rewrite, TakesTheCatalogsSchemaOffTypes) {
    EXPECT_EQ(rewritten("SELECT a::pg_catalog.int4, pg_catalog.pg_table_size(1) FROM pg_catalog.pg_class"),
              "SELECT a:: int4, pg_catalog.pg_table_size(1) FROM pg_catalog.pg_class");
    EXPECT_EQ(rewritten("INSERT INTO t VALUES (CAST(1 AS pg_catalog.int8))"),
              "INSERT INTO t VALUES (CAST(1 AS  int8))");
}

TEST(Rewrite, KnowsWhatStandsAlone) {
    EXPECT_TRUE(rewrite("VACUUM t")->is_alone);
    EXPECT_TRUE(rewrite("CREATE INDEX CONCURRENTLY i ON t (a)")->is_alone);
    EXPECT_FALSE(rewrite("ANALYZE t")->is_alone);
}

TEST(Rewrite, NamesColumnsAsPostgresDoes) {
    const auto names = [](std::string_view text) { return rewrite(text)->column_names; };
    EXPECT_THAT(names("SELECT 1, a, a.b, count(*), a::int, 1::int, 'x'::varchar(3)"),
                ElementsAre("?column?", "a", "b", "count", "a", "int4", "varchar"));
    EXPECT_THAT(names("SELECT *, t.*, 1 AS one, CASE WHEN a THEN 1 END, CASE WHEN a THEN 1 ELSE b END"),
                ElementsAre("", "", "", "case", "b"));
    EXPECT_THAT(names("SELECT EXISTS (SELECT 1), (SELECT max(a) FROM t), ARRAY[1], ROW(1), (x).y, a[1]"),
                ElementsAre("exists", "max", "array", "row", "y", "a"));
    EXPECT_THAT(names("SELECT a + 1 UNION SELECT b"), ElementsAre("?column?"));
    EXPECT_THAT(names("CREATE TABLE t AS SELECT lower(a)"), ElementsAre("lower"));
    EXPECT_THAT(names("INSERT INTO t VALUES (1)"), IsEmpty());
}

TEST(Rewrite, FindsTheWayBackToTheClientsText) {
    const std::string text = "SELECT a ~ 'x', nosuch FROM t FOR UPDATE";
    const auto result = rewrite(text);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->positions.to_client(result->text.find("nosuch")), text.find("nosuch"));
}

TEST(Rewrite, PassesWhatIsTooDeepOrBroken) {
    std::string deep = "SELECT 1";
    for (int i = 0; i < 5000; ++i) deep += "+1";
    EXPECT_EQ(rewritten(deep), deep);
    EXPECT_EQ(rewritten("SELECT 'unterminated"), "SELECT 'unterminated");
}

}  // namespace

}  // namespace boathouse::syntax
