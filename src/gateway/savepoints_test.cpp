#include "gateway/savepoints.hpp"

#include <gtest/gtest.h>

namespace boathouse::gateway {
namespace {

SavepointMark after(std::uint64_t writes) {
    return {writes, 0, nullptr};
}

TEST(Savepoints, TheNewestOfANameCounts) {
    Savepoints savepoints;
    ASSERT_TRUE(savepoints.define("a", after(0)));
    ASSERT_TRUE(savepoints.define("b", after(1)));
    ASSERT_TRUE(savepoints.define("a", after(2)));
    EXPECT_EQ(savepoints.find("a")->writes, 2U);
    EXPECT_TRUE(savepoints.release("a"));
    EXPECT_EQ(savepoints.find("a")->writes, 0U);
    EXPECT_TRUE(savepoints.roll_back_to("a"));
    EXPECT_EQ(savepoints.roll_back_to("b").error().sqlstate, "3B001") << "it is newer than what was returned to";
}

TEST(Savepoints, ReleaseTakesTheNewerOnesAlong) {
    Savepoints savepoints;
    ASSERT_TRUE(savepoints.define("a", after(0)));
    ASSERT_TRUE(savepoints.define("b", after(0)));
    EXPECT_TRUE(savepoints.release("a"));
    EXPECT_TRUE(savepoints.empty());
    EXPECT_EQ(savepoints.release("b").error().sqlstate, "3B001");
}

TEST(Savepoints, AWriteMakesOlderOnesUnreachable) {
    Savepoints savepoints;
    EXPECT_FALSE(savepoints.reachable(0));
    ASSERT_TRUE(savepoints.define("a", after(0)));
    EXPECT_TRUE(savepoints.reachable(0));
    EXPECT_FALSE(savepoints.reachable(1));
    ASSERT_TRUE(savepoints.define("b", after(1)));
    EXPECT_TRUE(savepoints.reachable(1));
}

TEST(Savepoints, AreBounded) {
    Savepoints savepoints;
    for (std::size_t i = 0; i < kSavepointsMax; ++i) ASSERT_TRUE(savepoints.define("s", after(0)));
    EXPECT_EQ(savepoints.define("s", after(0)).error().sqlstate, "53400");
}

}  // namespace
}  // namespace boathouse::gateway
