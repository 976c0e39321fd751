#include "gateway/statement.hpp"

#include <gtest/gtest.h>

namespace boathouse::gateway {
namespace {

template <class T>
T read(std::string_view text) {
    const Statement statement = classify(text);
    const T* wanted = std::get_if<T>(&statement);
    EXPECT_NE(wanted, nullptr) << text;
    return wanted ? *wanted : T{};
}

TEST(Statement, DataStatementsAreTheEnginesWhateverTheyBeginWith) {
    for (const char* text :
         {"SELECT 1", "FROM t", "setup", "-- set\nSELECT 1", "SET nonsense nonsense", "EXPLAIN SELECT 1"})
        EXPECT_TRUE(std::holds_alternative<EngineStatement>(classify(text))) << text;
}

TEST(Statement, TransactionOptions) {
    const auto begin = read<BeginStatement>("BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY");
    EXPECT_EQ(begin.options,
              (TransactionOptions{{"transaction_isolation", "serializable"}, {"transaction_read_only", "on"}}));
    const auto set = read<SetTransactionStatement>("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE");
    EXPECT_TRUE(set.for_session);
    EXPECT_EQ(set.options, (TransactionOptions{{"transaction_read_only", "off"}}));
    EXPECT_FALSE(read<SetTransactionStatement>("SET TRANSACTION READ ONLY").for_session);
    EXPECT_EQ(read<RefusedStatement>("PREPARE TRANSACTION 'x'").sqlstate, "0A000");
    EXPECT_EQ(read<RefusedStatement>("SET TRANSACTION SNAPSHOT 'x'").sqlstate, "0A000");
}

TEST(Statement, NumbersBelowOneKeepTheirValue) {
    EXPECT_EQ(read<SetStatement>("SET extra_float_digits = -15").values, std::vector<std::string>{"-15"});
    EXPECT_EQ(read<SetStatement>("SET statement_timeout TO 0").values, std::vector<std::string>{"0"});
    EXPECT_EQ(read<SetStatement>("SET TIME ZONE -8").values, std::vector<std::string>{"-8"});
}

TEST(Statement, CursorsKeepTheirQueryInAnyGrammar) {
    const std::string_view text = "DECLARE \"a for b\" NO SCROLL CURSOR WITH HOLD FOR FROM t SELECT x FOR UPDATE";
    const auto cursor = read<DeclareStatement>(text);
    EXPECT_EQ(cursor.name, "a for b");
    EXPECT_TRUE(cursor.hold);
    EXPECT_FALSE(cursor.scroll);
    EXPECT_FALSE(cursor.binary);
    EXPECT_EQ(cursor.query.text, "FROM t SELECT x FOR UPDATE");
    EXPECT_EQ(text.substr(cursor.query.offset), cursor.query.text);
    EXPECT_TRUE(read<DeclareStatement>("DECLARE c BINARY SCROLL CURSOR FOR SELECT 1").scroll);
}

TEST(Statement, Fetches) {
    EXPECT_EQ(read<FetchStatement>("FETCH c").count, 1);
    EXPECT_EQ(read<FetchStatement>("FETCH ALL FROM c").count, kFetchAll);
    EXPECT_EQ(read<FetchStatement>("FETCH 0 FROM c").count, 0);
    EXPECT_EQ(read<FetchStatement>("FETCH PRIOR FROM c").direction, FetchDirection::backward);
    const auto last = read<FetchStatement>("MOVE LAST IN c");
    EXPECT_EQ(last.direction, FetchDirection::absolute);
    EXPECT_EQ(last.count, -1);
    EXPECT_TRUE(last.move);
    EXPECT_EQ(read<CloseStatement>("CLOSE ALL").name, "");
}

TEST(Statement, PreparedStatementsKeepTypesAndText) {
    const auto prepare =
        read<PrepareStatement>("PREPARE p (int, numeric(10,2), text[]) AS INSERT INTO t SELECT $1 AS x");
    EXPECT_EQ(prepare.name, "p");
    ASSERT_EQ(prepare.types.size(), 3U);
    EXPECT_EQ(prepare.types[1], " numeric(10,2)");
    EXPECT_EQ(prepare.query.text, "INSERT INTO t SELECT $1 AS x");
    const auto execute = read<ExecuteStatement>("EXECUTE p (1, ')', lower('A'))");
    EXPECT_EQ(execute.name, "p");
    EXPECT_EQ(execute.arguments.text, "1, ')', lower('A')");
    EXPECT_EQ(read<ExecuteStatement>("EXECUTE p").arguments.text, "");
}

TEST(Statement, CopyKeepsTheQuerysPlace) {
    const std::string text = "COPY /* ( */ (SELECT ')' FROM t) TO STDOUT";
    const auto copy = read<CopyStatement>(text);
    EXPECT_EQ(copy.query.text, "SELECT ')' FROM t");
    EXPECT_EQ(text.substr(copy.query.offset, copy.query.text.size()), copy.query.text);
    EXPECT_FALSE(copy.is_table);
    EXPECT_EQ(read<CopyStatement>("COPY t FROM STDIN WHERE a = $$where$$").target.condition, " a = $$where$$");
}

}  // namespace
}  // namespace boathouse::gateway
