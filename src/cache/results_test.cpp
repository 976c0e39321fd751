#include "cache/results.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace boathouse::cache {
namespace {

constexpr std::size_t kAnswerBytes = 1000;

KeptAnswer answer(std::string tag, std::optional<long long> snapshot) {
    return {{}, std::string(kAnswerBytes, 'r'), std::move(tag), snapshot};
}

class ResultsTest : public testing::Test {
  protected:
    // The answer that `key` has at a snapshot, or "" after it was computed as `tag`.
    std::string ask(const std::string& key, long long snapshot, const std::string& tag = "computed") {
        Results::Turn turn = results_.join(key, snapshot);
        if (turn.answer) return turn.answer->tag;
        turn.computation->keep(answer(tag, snapshot));
        return "";
    }

    Results results_{{.bytes_max = 4 * (kAnswerBytes + 400), .answer_bytes_max = kAnswerBytes}};
};

TEST_F(ResultsTest, KeepsFromTheSecondTimeOn) {
    EXPECT_FALSE(results_.look("q").is_worth_keeping);
    EXPECT_TRUE(results_.look("q").is_worth_keeping);
    EXPECT_FALSE(results_.look("other").is_worth_keeping);
}

TEST_F(ResultsTest, GivesAnAnswerAtItsSnapshotAlone) {
    EXPECT_EQ(ask("q", 7, "at 7"), "");
    EXPECT_EQ(ask("q", 7), "at 7");
    EXPECT_EQ(ask("q", 8, "at 8"), "");
    EXPECT_EQ(ask("q", 8), "at 8");
    EXPECT_EQ(results_.counts().stale, 1U);
    EXPECT_EQ(results_.counts().answers, 1U);
}

// Somebody who asked before the newest commit must not take its answer from those who ask after it.
TEST_F(ResultsTest, AnAnswerOfANewerSnapshotStays) {
    ask("q", 8, "at 8");
    EXPECT_EQ(ask("q", 7, "at 7"), "");
    EXPECT_EQ(ask("q", 8), "at 8");
}

TEST_F(ResultsTest, AnAnswerThatHoldsForEverIsGivenWithoutASnapshot) {
    EXPECT_FALSE(results_.look("one").answer);
    results_.join("one", 1).computation->keep(answer("SELECT 1", std::nullopt));
    ASSERT_TRUE(results_.look("one").answer);
    EXPECT_EQ(results_.look("one").answer->tag, "SELECT 1");
    ask("q", 1);
    EXPECT_FALSE(results_.look("q").answer) << "one of a snapshot, before the snapshot is known";
}

TEST_F(ResultsTest, WhatWasAskedForLongestAgoGoesFirst) {
    for (const char* key : {"a", "b", "c", "d"}) ask(key, 1, key);
    EXPECT_EQ(ask("a", 1), "a");
    ask("e", 1, "e");
    EXPECT_EQ(ask("a", 1), "a");
    EXPECT_EQ(results_.counts().evicted, 1U);
    EXPECT_LE(results_.counts().bytes, results_.counts().bytes_max);
    EXPECT_EQ(ask("b", 1), "") << "not asked for since";
}

TEST_F(ResultsTest, OneComputesAndTheOthersWait) {
    Results::Turn first = results_.join("q", 1);
    ASSERT_TRUE(first.computation);
    const Results::Turn second = results_.join("q", 1);
    ASSERT_TRUE(second.flight);
    EXPECT_FALSE(second.computation);
    std::thread waiting([&] { results_.wait(*second.flight, [] { return false; }); });
    first.computation->keep(answer("once", 1));
    waiting.join();
    EXPECT_EQ(ask("q", 1), "once");
    EXPECT_EQ(results_.counts().misses, 1U);
}

TEST_F(ResultsTest, NobodyWaitsForAnOlderSnapshotsAnswer) {
    const Results::Turn older = results_.join("q", 1);
    Results::Turn newer = results_.join("q", 2);
    EXPECT_TRUE(newer.computation);
    newer.computation->keep(answer("at 2", 2));
    older.computation->keep(answer("at 1", 1));
    EXPECT_EQ(ask("q", 2), "at 2");
}

TEST_F(ResultsTest, AComputationThatFailsFreesThoseWhoWait) {
    Results::Turn first = results_.join("q", 1);
    const Results::Turn second = results_.join("q", 1);
    first.computation.reset();
    results_.wait(*second.flight, [] { return false; });
    EXPECT_TRUE(results_.join("q", 1).computation);
}

TEST_F(ResultsTest, WhoeverIsInterruptedStopsWaiting) {
    const Results::Turn first = results_.join("q", 1);
    const Results::Turn second = results_.join("q", 1);
    results_.wait(*second.flight, [] { return true; });
    EXPECT_TRUE(results_.join("q", 1).flight) << "the other still computes";
}

TEST_F(ResultsTest, WhatCannotBeKeptIsNotTriedAgain) {
    results_.look("now()");
    EXPECT_TRUE(results_.look("now()").is_worth_keeping);
    results_.join("now()", 1).computation->give_up();
    EXPECT_FALSE(results_.look("now()").is_worth_keeping);
}

TEST_F(ResultsTest, KeysThatAreSeenOnceAreForgotten) {
    results_.look("first");
    for (std::size_t i = 0; i < Results::kSightsMax; ++i) results_.look(std::to_string(i));
    EXPECT_FALSE(results_.look("first").is_worth_keeping);
}

}  // namespace
}  // namespace boathouse::cache
