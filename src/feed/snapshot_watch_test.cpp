#include "feed/snapshot_watch.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace boathouse::feed {
namespace {

using Reason = SnapshotWatch::Reason;
using Woken = SnapshotWatch::Woken;

// A lake whose newest snapshot is what the test says. Its changes cannot be read, so only a gap tells of any.
class Watched : public ::testing::Test {
  protected:
    static constexpr long long kGap = 2 * static_cast<long long>(SnapshotWatch::kKept);

    static std::chrono::steady_clock::time_point in(std::chrono::milliseconds time) {
        return std::chrono::steady_clock::now() + time;
    }
    std::future<Woken> wait(long long after, std::chrono::milliseconds time) {
        auto told = std::make_shared<std::promise<Woken>>();
        number_ = watch_.wait({.after = after, .table = 1, .deadline = in(time)},
                              [told](Woken woken) { told->set_value(woken); });
        return told->get_future();
    }

    std::atomic<long long> newest_ = 10;
    SharedConnection nowhere_{catalog::Endpoint{}};
    SnapshotWatch watch_{[this]() -> Result<long long> { return newest_.load(); }, nowhere_};
    SnapshotWatch::Number number_ = 0;
};

TEST_F(Watched, TellsAtTheDeadlineHowFarNothingHasChanged) {
    const Woken woken = wait(10, std::chrono::milliseconds(1)).get();
    EXPECT_EQ(woken.reason, Reason::timeout);
    EXPECT_EQ(woken.seen, 10);
}

TEST_F(Watched, TakesAGapForAChange) {
    auto woken = wait(10, std::chrono::hours(1));
    newest_ = 10 + kGap;
    EXPECT_EQ(woken.get().reason, Reason::changed);
}

TEST_F(Watched, CallsNobodyWhoHasGivenUp) {
    auto woken = wait(10, std::chrono::hours(1));
    EXPECT_TRUE(watch_.cancel(number_));
    EXPECT_FALSE(watch_.cancel(number_));
    EXPECT_EQ(watch_.followers(), 0U);
    EXPECT_THROW(woken.get(), std::future_error) << "what it held is let go";
}

TEST_F(Watched, WakesEverybodyWhenItStops) {
    auto before = wait(10, std::chrono::hours(1));
    watch_.stop();
    EXPECT_EQ(before.get().reason, Reason::stopping);
    EXPECT_EQ(wait(10, std::chrono::hours(1)).get().reason, Reason::stopping);
    EXPECT_FALSE(watch_.listen(10, [](const auto&) {}));
}

TEST_F(Watched, TellsListenersOfAGapOnce) {
    std::promise<TableChanges> first;
    std::atomic<int> calls = 0;
    const auto listener = watch_.listen(newest_, [&](const auto& change) {
        if (++calls == 1) first.set_value(*change);
    });
    ASSERT_TRUE(listener);
    wait(10, std::chrono::milliseconds(1)).get();  // it has looked
    newest_ = 10 + kGap;
    const TableChanges change = first.get_future().get();
    EXPECT_TRUE(change.anything);
    EXPECT_EQ(change.snapshot, 10 + kGap);
    wait(newest_, std::chrono::milliseconds(1)).get();
    EXPECT_EQ(calls, 1);
}

// A listener may end the last thing that keeps itself.
TEST_F(Watched, MayBeForgottenByWhoIsCalled) {
    std::promise<void> told;
    std::atomic<SnapshotWatch::Number> number = 0;
    auto listener = watch_.listen(5, [&](const auto&) {
        while (number == 0) std::this_thread::yield();
        watch_.forget(number);
        told.set_value();
    });
    ASSERT_TRUE(listener);
    number = *listener;
    told.get_future().get();
    EXPECT_EQ(watch_.followers(), 0U);
}

}  // namespace
}  // namespace boathouse::feed
