#include "catalog/pg_snapshot.hpp"

#include <gtest/gtest.h>

#include "catalog/scratch_postgres.hpp"

namespace boathouse::catalog {
namespace {

TEST(PgSnapshot, SeesOneTransactionMore) {
    EXPECT_EQ(snapshot_with("10:10:", 10), "11:11:");
    EXPECT_EQ(snapshot_with("10:12:10", 12), "10:13:10");
    EXPECT_EQ(snapshot_with("10:10:", 12), "10:13:10,11");
    EXPECT_EQ(snapshot_with("8:10:8,9", 11), "8:12:8,9,10");
}

TEST(PgSnapshot, IsNothingWhereItCannotBeTold) {
    EXPECT_EQ(snapshot_with("", 10), "");
    EXPECT_EQ(snapshot_with("10:10", 10), "");
    EXPECT_EQ(snapshot_with("10:x:", 10), "");
    EXPECT_EQ(snapshot_with("10:12:10", 11), "");
    EXPECT_EQ(snapshot_with("10:10:", 1000), "");
}

// As PostgreSQL itself tells it, with nobody else there, with a transaction under way, and after that one's end.
TEST(PgSnapshot, IsThatOfPostgres) {
    ScratchPostgres server;
    auto writer = server.connect("boathouse", "postgres").value();
    auto other = server.connect("boathouse", "postgres").value();
    auto reader = server.connect("boathouse", "postgres").value();
    ASSERT_TRUE(writer.execute("ALTER SYSTEM SET autovacuum = off"));
    ASSERT_TRUE(writer.execute("SELECT pg_reload_conf()"));
    ASSERT_TRUE(writer.execute("CREATE TABLE public.written (i int)"));
    const auto now = [&] { return *reader.query("SELECT pg_current_snapshot()").value()[0][0]; };
    const auto write = [&](Connection& connection) {
        return std::stoull(
            *connection.query("INSERT INTO public.written VALUES (1) RETURNING pg_current_xact_id()").value()[0][0]);
    };
    std::string seen = now();
    seen = snapshot_with(seen, write(writer));
    EXPECT_EQ(seen, now());
    ASSERT_TRUE(other.execute("BEGIN"));
    write(other);
    EXPECT_EQ(seen, now());
    seen = snapshot_with(seen, write(writer));
    EXPECT_EQ(seen, now());
    seen = snapshot_with(seen, write(writer));
    EXPECT_EQ(seen, now());
    ASSERT_TRUE(other.execute("COMMIT"));
    EXPECT_NE(seen, now());
    EXPECT_NE(snapshot_with(seen, write(writer)), now());
}

}  // namespace
}  // namespace boathouse::catalog
