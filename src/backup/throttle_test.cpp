#include "backup/throttle.hpp"

#include <gtest/gtest.h>

namespace boathouse::backup {
namespace {

using std::chrono::seconds;

TEST(Throttle, LetsThroughSoMuchASecondAndNoMore) {
    Throttle throttle(1000);
    const Throttle::Time begin{seconds(100)};
    EXPECT_EQ(throttle.wait_after(500, begin), std::chrono::milliseconds(500));
    EXPECT_EQ(throttle.wait_after(1500, begin), seconds(2)) << "what was moved before counts";
    EXPECT_EQ(throttle.wait_after(1000, begin + seconds(60)), seconds(1)) << "a pause is not saved up";
}

TEST(Throttle, OfNothingNeverWaits) {
    Throttle throttle(0);
    EXPECT_EQ(throttle.wait_after(1'000'000'000, {}), seconds(0));
}

}  // namespace
}  // namespace boathouse::backup
