#include "http/abandonable_wait.hpp"

#include <gtest/gtest.h>

#include <future>

namespace boathouse::http {
namespace {

using feed::SnapshotWatch;

struct Lake {
    feed::SharedConnection nowhere{catalog::Endpoint{}};
    SnapshotWatch watch{[]() -> Result<long long> { return 10; }, nowhere};
};

SnapshotWatch::Wait long_wait() {
    return {.after = 10, .table = 1, .deadline = std::chrono::steady_clock::now() + std::chrono::hours(1)};
}

TEST(AbandonableWait, IsGivenUpWhileItWaits) {
    Lake lake;
    AbandonableWait wait(lake.watch);
    EXPECT_TRUE(wait.begin(long_wait(), [](auto) { FAIL() << "nobody waits any more"; }));
    EXPECT_TRUE(wait.give_up());
    EXPECT_FALSE(wait.give_up()) << "it is answered once";
    EXPECT_EQ(lake.watch.followers(), 0U);
    lake.watch.stop();
}

TEST(AbandonableWait, DoesNotBeginOnceItIsGivenUp) {
    Lake lake;
    AbandonableWait wait(lake.watch);
    EXPECT_FALSE(wait.give_up());
    EXPECT_FALSE(wait.begin(long_wait(), [](auto) { FAIL() << "nobody waits any more"; }));
}

TEST(AbandonableWait, BeginsAgainAfterItsEnd) {
    Lake lake;
    AbandonableWait wait(lake.watch);
    for (int i = 0; i < 3; ++i) {
        std::promise<SnapshotWatch::Reason> told;
        SnapshotWatch::Wait wanted = long_wait();
        wanted.deadline = {};
        ASSERT_TRUE(wait.begin(wanted, [&](SnapshotWatch::Woken woken) { told.set_value(woken.reason); }));
        EXPECT_EQ(told.get_future().get(), SnapshotWatch::Reason::timeout);
    }
    EXPECT_FALSE(wait.give_up()) << "nothing is under way";
}

}  // namespace
}  // namespace boathouse::http
