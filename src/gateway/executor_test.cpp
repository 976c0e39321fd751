#include "gateway/executor.hpp"

#include <gtest/gtest.h>

#include <future>

namespace boathouse::gateway {
namespace {

// A job that holds its thread until it is let go, and says when it has begun.
struct Blocker {
    std::promise<void> begun;
    std::promise<void> gate;
    Executor::Job job() {
        return [this] {
            begun.set_value();
            gate.get_future().wait();
        };
    }
};

TEST(Executor, RefusesBeyondItsQueueAndNotWhatHasAClaim) {
    Blocker blocker;
    std::promise<void> last;
    Executor executor(1, 1);
    executor.submit(blocker.job());
    blocker.begun.get_future().wait();
    EXPECT_TRUE(executor.try_submit([] {}));
    EXPECT_FALSE(executor.try_submit([] {}));
    executor.submit([&last] { last.set_value(); });
    blocker.gate.set_value();
    last.get_future().wait();
}

TEST(Executor, WithdrawsWhatHasNotBegun) {
    Blocker blocker;
    std::promise<void> after;
    bool ran = false;
    Executor executor(1, 10);
    const auto running = executor.submit(blocker.job());
    blocker.begun.get_future().wait();
    const auto waiting = executor.submit([&ran] { ran = true; });
    executor.submit([&after] { after.set_value(); });
    EXPECT_FALSE(executor.withdraw(running));
    EXPECT_TRUE(executor.withdraw(waiting));
    EXPECT_FALSE(executor.withdraw(waiting));
    blocker.gate.set_value();
    after.get_future().wait();
    EXPECT_FALSE(ran);
}

TEST(Executor, KeepsTheOrder) {
    std::vector<int> order;
    std::promise<void> done;
    Executor executor(1, 10);
    for (int i = 0; i < 5; ++i) executor.submit([&order, i] { order.push_back(i); });
    executor.submit([&done] { done.set_value(); });
    done.get_future().wait();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

}  // namespace
}  // namespace boathouse::gateway
