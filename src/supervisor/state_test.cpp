#include "supervisor/state.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "supervisor/data_lock.hpp"

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

// A data directory in a temporary place, as far as the box's lock and state go.
class ReadStateTest : public testing::Test {
  protected:
    ReadStateTest() {
        std::string pattern = testing::TempDir() + "boathouse-state-XXXXXX";
        settings_.data_dir = ::mkdtemp(pattern.data());
    }
    ~ReadStateTest() override { std::filesystem::remove_all(settings_.data_dir); }

    void expect_no_box_has_run() {
        const auto state = read_state(settings_);
        ASSERT_FALSE(state);
        EXPECT_EQ(state.error().kind, ErrorKind::not_found);
        EXPECT_EQ(state.error().message, "no box has run on the data directory " + settings_.data_dir);
        EXPECT_NE(state.error().hint.find("boathouse serve"), std::string::npos);
    }

    Result<DataLock> lock() {
        BoxUser user;
        user.uid = ::geteuid();
        user.gid = ::getegid();
        return DataLock::acquire(config::run_dir(settings_), user);
    }

    config::Settings settings_;
};

TEST_F(ReadStateTest, SaysThatNoBoxHasRunWhateverIsMissing) {
    expect_no_box_has_run();
    std::filesystem::create_directory(config::run_dir(settings_));
    expect_no_box_has_run();
    ASSERT_TRUE(lock());
    expect_no_box_has_run();  // a lock that nobody holds, of a start that was refused
}

TEST_F(ReadStateTest, TellsABoxThatHasJustBegunFromOneThatHasStopped) {
    std::filesystem::create_directory(config::run_dir(settings_));
    {
        const auto held = lock();
        ASSERT_TRUE(held);
        EXPECT_EQ(read_state(settings_).error().kind, ErrorKind::unavailable);
        State ready;
        ready.phase = Phase::ready;
        ready.pid = 12;
        ASSERT_TRUE(write_state(settings_, ready));
        EXPECT_EQ(read_state(settings_)->phase, Phase::ready);
    }
    const auto state = read_state(settings_);
    ASSERT_TRUE(state);
    EXPECT_EQ(state->phase, Phase::stopped);
    EXPECT_EQ(state->pid, 0);
}

}  // namespace
}  // namespace boathouse::supervisor
