#include "syntax/parse_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace boathouse::syntax {

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string repeated(const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

// "schema.name", "!" before what is written.
std::vector<std::string> relations(std::string_view text) {
    std::vector<std::string> names;
    const auto statements = parse(text);
    EXPECT_TRUE(statements) << text << ": " << (statements ? "" : statements.error().message);
    if (!statements) return names;
    for (const Statement& statement : *statements) {
        for (const Relation& relation : statement.relations) {
            const std::string schema = relation.schema.empty() ? "" : relation.schema + ".";
            const std::string catalog = relation.catalog.empty() ? "" : relation.catalog + ".";
            names.push_back((relation.written ? "!" : "") + catalog + schema + relation.name);
        }
    }
    return names;
}

std::vector<std::string> functions(std::string_view text) {
    std::vector<std::string> names;
    const auto statements = parse(text);
    if (!statements) return {"error"};
    for (const Statement& statement : *statements) {
        for (const Function& function : statement.functions)
            names.push_back(function.schema.empty() ? function.name : function.schema + "." + function.name);
    }
    return names;
}

TEST(ParseTree, FindsEachStatementsTextWithoutCommentsAroundIt) {
    const std::string text = "SELECT 1 ;; -- one\n /* two */ insert INTO t VALUES (1) -- three";
    const auto statements = parse(text);
    ASSERT_TRUE(statements);
    ASSERT_EQ(statements->size(), 2U);
    const Statement& first = (*statements)[0];
    const Statement& second = (*statements)[1];
    EXPECT_EQ(first.kind, "SelectStmt");
    EXPECT_EQ(text.substr(first.begin, first.end - first.begin), "SELECT 1");
    EXPECT_EQ(second.kind, "InsertStmt");
    EXPECT_EQ(text.substr(second.begin, second.end - second.begin), "insert INTO t VALUES (1)");
}

TEST(ParseTree, HasNoStatementInCommentsAlone) {
    const auto statements = parse("  -- nothing\n ; /* here */");
    ASSERT_TRUE(statements);
    EXPECT_THAT(*statements, IsEmpty());
}

TEST(ParseTree, NamesRelationsWhereverTheyStand) {
    EXPECT_THAT(relations("SELECT a FROM Sales s JOIN \"Big\".t USING (x) WHERE EXISTS (SELECT FROM lake.main.u)"),
                ElementsAre("sales", "Big.t", "lake.main.u"));
    EXPECT_THAT(relations("INSERT INTO t SELECT * FROM s"), ElementsAre("!t", "s"));
    EXPECT_THAT(relations("UPDATE t SET a = 1 FROM u WHERE t.id = u.id"), ElementsAre("!t", "u"));
    EXPECT_THAT(relations("CREATE TABLE a.t AS SELECT * FROM s"), ElementsAre("s", "!a.t"));
    EXPECT_THAT(relations("CREATE VIEW v AS SELECT * FROM s"), ElementsAre("!v", "s"));
    EXPECT_THAT(relations("COPY t FROM STDIN"), ElementsAre("!t"));
    EXPECT_THAT(relations("COPY t TO STDOUT"), ElementsAre("t"));
    EXPECT_THAT(relations("TRUNCATE a, b"), ElementsAre("!a", "!b"));
    EXPECT_THAT(relations("DROP TABLE a, s.b"), ElementsAre("!a", "!s.b"));
    EXPECT_THAT(relations("SELECT * FROM t FOR UPDATE OF t"), ElementsAre("t"));
    EXPECT_THAT(relations("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE"), ElementsAre("!t", "s"));
}

TEST(ParseTree, TellsCommonTablesFromRelations) {
    EXPECT_THAT(relations("WITH a AS (SELECT * FROM t), b AS (SELECT * FROM a) SELECT * FROM a, b"), ElementsAre("t"));
    EXPECT_THAT(relations("WITH t AS (SELECT * FROM t) SELECT * FROM t"), ElementsAre("t"));
    EXPECT_THAT(relations("WITH RECURSIVE t AS (SELECT 1 UNION SELECT * FROM t) SELECT * FROM t"), IsEmpty());
    EXPECT_THAT(relations("SELECT (WITH a AS (SELECT 1) SELECT * FROM a), x FROM a"), ElementsAre("a"));
    EXPECT_THAT(relations("WITH t AS (SELECT 1) INSERT INTO t SELECT * FROM t"), ElementsAre("!t"));
    EXPECT_THAT(relations("WITH a AS (SELECT 1) SELECT * FROM main.a"), ElementsAre("main.a"));
}

TEST(ParseTree, NamesFunctionsAndKeywordsThatAreFunctions) {
    EXPECT_THAT(functions("SELECT pg_catalog.version(), Current_User, count(*) FROM generate_series(1, 2)"),
                ElementsAre("pg_catalog.version", "current_user", "count", "generate_series"));
}

TEST(ParseTree, NamesTypesAndCountsParameters) {
    const auto statements = parse("SELECT 'pg_class'::regclass, $3::int, $1");
    ASSERT_TRUE(statements);
    ASSERT_EQ(statements->size(), 1U);
    const Statement& statement = statements->front();
    ASSERT_EQ(statement.types.size(), 2U);
    EXPECT_EQ(statement.types[0].schema, "");
    EXPECT_EQ(statement.types[0].name, "regclass");
    EXPECT_EQ(statement.types[1].schema, "pg_catalog");
    EXPECT_EQ(statement.types[1].name, "int4");
    EXPECT_EQ(statement.parameters, 3);
}

TEST(ParseTree, SaysWhereInBytesAnErrorIs) {
    const std::string text = "SELECT 'äöü', foo bar baz";
    const auto statements = parse(text);
    ASSERT_FALSE(statements);
    EXPECT_EQ(statements.error().kind, ParseError::Kind::syntax);
    EXPECT_EQ(text.substr(statements.error().offset), "baz");
    EXPECT_EQ(statements.error().message, "syntax error at or near \"baz\"");
}

TEST(ParseTree, LeavesDuckdbsGrammarAlone) {
    EXPECT_FALSE(parse("SELECT * EXCLUDE (a) FROM t"));
    EXPECT_FALSE(parse("FROM t"));
}

TEST(ParseTree, TakesBrokenTextsWithoutHarm) {
    EXPECT_FALSE(parse("SELECT 'abc"));
    EXPECT_FALSE(parse("SELECT /* abc"));
    EXPECT_FALSE(parse(std::string_view("SELECT 1\0, 2", 12)));
    EXPECT_FALSE(parse("SELECT E'\\x00'"));
}

// Each of these would overflow the stack of the recursive parts of the parser, or of ours.
TEST(ParseTree, BoundsNestingInEveryForm) {
    const int many = 20000;
    const std::string deep[] = {
        "SELECT 1" + repeated("+1", many),
        "SELECT 1" + repeated("::int", many),
        "SELECT 1" + repeated(" IS NULL", many),
        "SELECT " + repeated("- ", many) + "1",
        "SELECT " + repeated("NOT ", many) + "true",
        "SELECT 1" + repeated(" UNION SELECT 1", 15000),
        "SELECT * FROM t" + repeated(" JOIN t USING(a)", 15000),
        "SELECT " + repeated("(SELECT ", 2000) + "1" + repeated(")", 2000),
        "SELECT " + repeated("CASE WHEN a AND ", 3000) + "b" + repeated(" THEN 1 END", 3000),
        "SELECT 1" + repeated(" BETWEEN 1 AND 2 IS NULL", 8000),
        "SELECT " + repeated("(", 300) + "1" + repeated(repeated("+1", 200) + ")", 300),
        "SELECT " + repeated("ARRAY[", 5000) + "1" + repeated("]", 5000),
    };
    for (const std::string& text : deep) {
        const auto statements = parse(text);
        ASSERT_FALSE(statements) << text.substr(0, 60);
        EXPECT_EQ(statements.error().kind, ParseError::Kind::limit) << text.substr(0, 60);
    }
}

TEST(ParseTree, TakesWideTextsAndUsualDepths) {
    EXPECT_TRUE(parse("INSERT INTO t VALUES (1, 'a')" + repeated(", (1, 'a')", 20000)));
    EXPECT_TRUE(parse("SELECT * FROM t WHERE a = 1" + repeated(" OR a = 2 AND b < 3", 5000)));
    EXPECT_TRUE(parse("SELECT CASE" + repeated(" WHEN a = 1 THEN -2", 5000) + " ELSE 0 END FROM t"));
    EXPECT_TRUE(parse("SELECT " + repeated("(SELECT ", 150) + "1" + repeated(")", 150)));
    EXPECT_TRUE(parse("SELECT 1" + repeated(" UNION ALL SELECT 1", 900)));
}

TEST(ParseTree, RefusesWhatIsTooLong) {
    const auto statements = parse("SELECT '" + std::string(kTextBytesMax, 'x') + "'");
    ASSERT_FALSE(statements);
    EXPECT_EQ(statements.error().kind, ParseError::Kind::limit);
}

TEST(ParseTree, ServesManyThreads) {
    std::vector<std::thread> threads;
    std::vector<int> good(4);
    for (std::size_t i = 0; i < good.size(); ++i) {
        threads.emplace_back([&good, i] {
            for (int round = 0; round < 200; ++round) {
                const auto statements = parse("SELECT a FROM t" + std::to_string(i) + " WHERE b = $1");
                const bool right = statements && (*statements)[0].relations[0].name == "t" + std::to_string(i);
                good[i] += right && !parse("SELECT FROM WHERE") ? 1 : 0;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_THAT(good, ::testing::Each(200));
}

}  // namespace

}  // namespace boathouse::syntax
