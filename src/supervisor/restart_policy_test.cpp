#include "supervisor/restart_policy.hpp"

#include <gtest/gtest.h>

namespace boathouse::supervisor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class FakeClock final : public Clock {
  public:
    std::chrono::steady_clock::time_point steady_now() const override { return now_; }
    std::chrono::system_clock::time_point system_now() const override { return {}; }
    void advance(milliseconds by) { now_ += by; }

  private:
    std::chrono::steady_clock::time_point now_{seconds(1000)};
};

constexpr RestartLimits kLimits{
    .deaths_max = 6, .window = seconds(60), .first_delay = milliseconds(100), .delay_max = milliseconds(500)};

TEST(RestartPolicyTest, WaitsLongerEachTimeUpToTheLongestWait) {
    FakeClock clock;
    RestartPolicy policy(clock, kLimits);
    EXPECT_EQ(policy.died(), milliseconds(0));
    EXPECT_EQ(policy.died(), milliseconds(100));
    EXPECT_EQ(policy.died(), milliseconds(200));
    EXPECT_EQ(policy.died(), milliseconds(400));
    EXPECT_EQ(policy.died(), milliseconds(500));
    EXPECT_EQ(policy.died(), milliseconds(500));
}

TEST(RestartPolicyTest, GivesUpAfterTooManyDeathsInTheWindow) {
    FakeClock clock;
    RestartPolicy policy(clock, kLimits);
    for (std::size_t death = 0; death < kLimits.deaths_max; ++death) {
        EXPECT_TRUE(policy.died()) << death;
        clock.advance(seconds(1));
    }
    EXPECT_EQ(policy.died(), std::nullopt);
}

TEST(RestartPolicyTest, ForgetsDeathsThatLeftTheWindow) {
    FakeClock clock;
    RestartPolicy policy(clock, kLimits);
    for (std::size_t death = 0; death < kLimits.deaths_max; ++death) ASSERT_TRUE(policy.died());
    clock.advance(seconds(60));
    EXPECT_EQ(policy.died(), milliseconds(0));
}

TEST(RestartPolicyTest, AChildThatDiesSlowlyIsStartedForever) {
    FakeClock clock;
    RestartPolicy policy(clock, kLimits);
    for (int death = 0; death < 1000; ++death) {
        ASSERT_TRUE(policy.died()) << death;
        clock.advance(seconds(11));  // five in a window of sixty seconds
    }
}

TEST(RestartPolicyTest, NoRestartsAtAll) {
    FakeClock clock;
    RestartPolicy policy(clock, {.deaths_max = 0, .window = seconds(60)});
    EXPECT_EQ(policy.died(), std::nullopt);
}

}  // namespace
}  // namespace boathouse::supervisor
