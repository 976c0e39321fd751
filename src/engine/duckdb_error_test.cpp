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
    const Error own{ErrorKind::not_found, "no dropped table x", "It is still there.", ""};
    EXPECT_EQ(to_query_error(duckdb::ErrorData(duckdb::InvalidInputException(own.text())), Scrubber({}, {})).hint,
              "It is still there.");
}

TEST(DuckdbError, GuessesNoNamesOfTheSystems) {
    const QueryError error = to_query_error(
        duckdb::ErrorData(duckdb::ExceptionType::CATALOG,
                          "Table with name x does not exist!\nDid you mean \"__ducklake_metadata_lake.pg_catalog.a\"?"),
        Scrubber({}, {}));
    EXPECT_EQ(error.hint, "");
}

TEST(DuckdbError, TellsColumnsFromTables) {
    const auto catalog = [](const char* text) { return state_of(duckdb::CatalogException(std::string(text))); };
    EXPECT_EQ(catalog("Failed to rename column - column c does not exist"), "42703");
    EXPECT_EQ(catalog("Unexpected partition key - column \"z\" does not exist"), "42703");
    EXPECT_EQ(catalog("Cannot change type of column a from INTEGER to DATE"), "42804");
    EXPECT_EQ(catalog("Existing object t is of type Table, trying to drop type View"), "42809");
    EXPECT_EQ(catalog("Table with name column_of does not exist!"), "42P01");
}

}  // namespace
}  // namespace boathouse::engine
