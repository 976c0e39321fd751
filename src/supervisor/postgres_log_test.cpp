#include "supervisor/postgres_log.hpp"

#include <gtest/gtest.h>

namespace boathouse::supervisor {
namespace {

TEST(PostgresLogTest, TellsPostgresFromItsClients) {
    PostgresLog log;
    const auto own = log.read("FATAL:  could not write lock file \"postmaster.pid\": No space left on device");
    EXPECT_EQ(own.level, LogLevel::error);
    EXPECT_TRUE(own.is_fatal);
    const auto session = log.read("admin@lakehouse FATAL:  password authentication failed for user \"admin\"");
    EXPECT_EQ(session.level, LogLevel::warning);
    EXPECT_FALSE(session.is_fatal);
    EXPECT_EQ(log.read("admin@lakehouse ERROR:  duplicate key value").level, LogLevel::info);
    EXPECT_TRUE(log.read("PANIC:  could not write to file").is_fatal);
}

TEST(PostgresLogTest, FurtherLinesBelongToTheOneBefore) {
    PostgresLog log;
    log.read("WARNING:  something");
    EXPECT_EQ(log.read("\tgoes on").level, LogLevel::warning);
    EXPECT_EQ(log.read("admin@lakehouse DETAIL:  Key (snapshot_id)=(5) already exists.").level, LogLevel::warning);
    log.read("LOG:  database system is ready to accept connections");
    EXPECT_EQ(log.read("HINT:  none").level, LogLevel::info);
}

TEST(PostgresLogTest, LeavesOutThePlainSeverity) {
    PostgresLog log;
    EXPECT_EQ(log.read("LOG:  listening on IPv4 address").text, "listening on IPv4 address");
    EXPECT_EQ(log.read("a@b LOG:  unexpected EOF").text, "a@b LOG:  unexpected EOF");
}

TEST(PostgresLogTest, StoppingIsNoReasonToWarn) {
    PostgresLog log;
    EXPECT_EQ(log.read("a@b FATAL:  terminating connection due to administrator command").level, LogLevel::info);
    EXPECT_EQ(log.read("a@b FATAL:  the database system is starting up").level, LogLevel::info);
}

TEST(PostgresLogTest, AClientThatIsGoneIsNoReasonToWarn) {
    PostgresLog log;
    EXPECT_EQ(log.read("boathouse@[unknown] FATAL:  connection to client lost").level, LogLevel::info);
}

TEST(PostgresLogTest, SaysWhyNothingIsArchived) {
    PostgresLog log;
    log.read("LOG:  something");
    EXPECT_EQ(log.read("boathouse: cannot write /mnt/backup/wal/1.gz: No space left").level, LogLevel::warning);
    EXPECT_EQ(log.read("LOG:  archive command failed with exit code 1").level, LogLevel::info);
}

TEST(PostgresLogTest, AClientCannotShoutByWhatItWrites) {
    PostgresLog log;
    const auto line = log.read("admin@lakehouse ERROR:  invalid input: \"PANIC:  \" FATAL:  x");
    EXPECT_EQ(line.level, LogLevel::info);
    EXPECT_FALSE(line.is_fatal);
}

}  // namespace
}  // namespace boathouse::supervisor
