#include "gateway/log_in_throttle.hpp"

#include <gtest/gtest.h>

namespace boathouse::gateway {
namespace {

using std::chrono::milliseconds;

class ManualClock final : public Clock {
  public:
    std::chrono::steady_clock::time_point steady_now() const override { return now; }
    std::chrono::system_clock::time_point system_now() const override { return {}; }
    std::chrono::steady_clock::time_point now{std::chrono::hours(1)};
};

class LogInThrottleTest : public testing::Test {
  protected:
    ManualClock clock_;
    LogInThrottle throttle_{clock_};
};

TEST_F(LogInThrottleTest, FailuresDoubleTheWait) {
    EXPECT_EQ(throttle_.wait("10.0.0.1", "eve"), milliseconds(0));
    milliseconds expected = kFirstPenalty;
    for (int i = 0; i < 8; ++i) {
        throttle_.failed("10.0.0.1", "eve");
        EXPECT_EQ(throttle_.wait("10.0.0.1", "eve"), expected);
        clock_.now += std::chrono::minutes(1);
        expected = std::min(expected * 2, kPenaltyMax);
    }
}

TEST_F(LogInThrottleTest, OthersDoNotWait) {
    throttle_.failed("10.0.0.1", "eve");
    EXPECT_EQ(throttle_.wait("10.0.0.1", "alice"), milliseconds(0));
    EXPECT_EQ(throttle_.wait("10.0.0.2", "eve"), milliseconds(0));
}

TEST_F(LogInThrottleTest, ParallelProofsTakeTurnsAndTooManyAreNotLookedAt) {
    throttle_.failed("10.0.0.1", "eve");
    milliseconds last{0};
    for (int i = 0; i < 60; ++i) {
        const auto wait = throttle_.wait("10.0.0.1", "eve");
        ASSERT_TRUE(wait);
        EXPECT_EQ(*wait, last + kFirstPenalty);
        last = *wait;
    }
    EXPECT_EQ(throttle_.wait("10.0.0.1", "eve"), std::nullopt);
}

TEST_F(LogInThrottleTest, SuccessAndTimeForgive) {
    throttle_.failed("10.0.0.1", "eve");
    throttle_.succeeded("10.0.0.1", "eve");
    EXPECT_EQ(throttle_.wait("10.0.0.1", "eve"), milliseconds(0));
    throttle_.failed("10.0.0.1", "eve");
    clock_.now += kFailuresForgottenAfter + std::chrono::seconds(1);
    EXPECT_EQ(throttle_.wait("10.0.0.1", "eve"), milliseconds(0));
}

TEST_F(LogInThrottleTest, InventedNamesDoNotPushOutWhoFailsOften) {
    for (int i = 0; i < 5; ++i) throttle_.failed("10.0.0.1", "admin");
    for (std::size_t i = 0; i < 2 * kThrottledMax; ++i) {
        throttle_.failed("10.0.0.1", "name" + std::to_string(i));
        clock_.now += milliseconds(1);
        if (i == kThrottledMax + 10) break;  // each further one searches the whole table
    }
    throttle_.failed("10.0.0.1", "admin");
    EXPECT_EQ(throttle_.wait("10.0.0.1", "admin"), kPenaltyMax);
}

}  // namespace
}  // namespace boathouse::gateway
