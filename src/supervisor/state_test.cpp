#include "supervisor/state.hpp"

#include <gtest/gtest.h>

namespace boathouse::supervisor {
namespace {

TEST(StateTest, ReadsBackWhatItWrote) {
    const State state{.phase = Phase::degraded,
                      .status = "PostgreSQL is being started again",
                      .last_error = "a \"quoted\"\nline",
                      .pid = 12,
                      .started_at_unix_seconds = 1'700'000'000,
                      .ready_at_unix_seconds = 1'700'000'003,
                      .version = "0.1.0",
                      .listen = "127.0.0.1",
                      .catalog_port = 5432,
                      .sql_port = 5433,
                      .http_port = 8080,
                      .postgres_user = "admin",
                      .postgres_db = "lakehouse",
                      .postgres = {.pid = 0, .restarts = 3, .last_exit = "killed by signal 9 (Killed)"},
                      .engine = {.pid = 14, .restarts = 0, .last_exit = ""}};
    const auto again = state_from_json(to_json(state));
    ASSERT_TRUE(again);
    EXPECT_EQ(to_json(*again), to_json(state));
    EXPECT_EQ(again->phase, Phase::degraded);
    EXPECT_EQ(again->postgres.last_exit, "killed by signal 9 (Killed)");
    EXPECT_EQ(again->last_error, "a \"quoted\"\nline");
}

TEST(StateTest, EveryPhaseHasItsName) {
    for (const auto phase :
         {Phase::starting, Phase::ready, Phase::degraded, Phase::stopping, Phase::stopped, Phase::failed}) {
        EXPECT_EQ(phase_from_name(phase_name(phase)), phase);
    }
    EXPECT_EQ(phase_from_name("sailing"), std::nullopt);
}

TEST(StateTest, RefusesWhatItDidNotWrite) {
    for (const char* json : {"", "{", "[]", "{}", R"({"phase":"sailing"})", R"({"phase":7})"}) {
        const auto state = state_from_json(json);
        ASSERT_FALSE(state) << json;
        EXPECT_EQ(state.error().kind, ErrorKind::corrupt);
    }
}

}  // namespace
}  // namespace boathouse::supervisor
