#include "engine/duckdb_error.hpp"

#include <gtest/gtest.h>

namespace boathouse::engine {
namespace {

std::string state_of(const duckdb::Exception& exception) {
    return to_query_error(duckdb::ErrorData(exception), Scrubber({}, {})).sqlstate;
}

TEST(DuckdbError, TellsWhatHasRunOut) {
    EXPECT_EQ(state_of(duckdb::OutOfMemoryException("could not allocate block")), "53200");
    EXPECT_EQ(state_of(duckdb::OutOfMemoryException(
                  "failed to offload data block of size 256.0 KiB (1.0 GiB/1.0 GiB used).\nThis limit was set by the "
                  "'max_temp_directory_size' setting.")),
              "53100");
    EXPECT_EQ(state_of(duckdb::IOException("Could not write to file \"tmp/x\": No space left on device")), "53100");
    EXPECT_EQ(state_of(duckdb::IOException("Could not read from file \"lake/x\"")), "58030");
    EXPECT_EQ(state_of(duckdb::ConnectionException("could not connect")), "08006");
}

TEST(DuckdbError, AdvisesOnWhatHasRunOutInTheBoxsOwnWords) {
    const QueryError error = to_query_error(duckdb::ErrorData(duckdb::OutOfMemoryException(
                                                "could not allocate block\n\nPossible solutions:\n* SET threads=1")),
                                            Scrubber({}, {}));
    EXPECT_EQ(error.message, "could not allocate block");
    EXPECT_NE(error.hint.find("memory_limit_mb"), std::string::npos);
    EXPECT_EQ(error.hint.find("SET threads"), std::string::npos);
}

TEST(DuckdbError, TellsWhoEndedTheStatement) {
    EXPECT_EQ(state_of(duckdb::InterruptException()), "57014");
    EXPECT_EQ(state_of(duckdb::TransactionException("Transaction conflict - attempting to insert into table")),
              "40001");
    EXPECT_EQ(state_of(duckdb::TransactionException("Failed to commit: Exceeded the maximum retry count of 10 set by "
                                                    "the ducklake_max_retry_count setting.")),
              "40001");
}

TEST(DuckdbError, TurnsFurtherLinesIntoAHint) {
    const QueryError error = to_query_error(
        duckdb::ErrorData(duckdb::ExceptionType::CATALOG, "Table with name x does not exist!\nDid you mean \"y\"?"),
        Scrubber({}, {}));
    EXPECT_EQ(error.message, "Table with name x does not exist!");
    EXPECT_EQ(error.hint, "Did you mean \"y\"?");
}

}  // namespace
}  // namespace boathouse::engine
