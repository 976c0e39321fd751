#include "http/shared_answer.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

namespace boathouse::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A clock that stands until it is told to move. Any thread may ask it.
class StandingClock final : public Clock {
  public:
    std::chrono::steady_clock::time_point steady_now() const override {
        return std::chrono::steady_clock::time_point(milliseconds(now_ms_));
    }
    std::chrono::system_clock::time_point system_now() const override { return {}; }
    void advance(milliseconds by) { now_ms_ += by.count(); }

  private:
    std::atomic<milliseconds::rep> now_ms_{1'000'000};
};

// A question that counts how often it was asked, and that a test can hold back.
class Oracle {
  public:
    int answer() {
        std::unique_lock lock(mutex_);
        const int number = ++asked_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return !held_; });
        return number;
    }

    void hold() {
        const std::lock_guard lock(mutex_);
        held_ = true;
    }

    void release() {
        const std::lock_guard lock(mutex_);
        held_ = false;
        changed_.notify_all();
    }

    void wait_until_asked(int times) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return asked_ >= times; });
    }

  private:
    std::mutex mutex_;  // guards both
    std::condition_variable changed_;
    int asked_ = 0;
    bool held_ = false;
};

constexpr seconds kPatience(600);  // nothing here waits for it to pass

class SharedAnswerTest : public testing::Test {
  protected:
    int ask(milliseconds age_max) { return *shared_.ask(age_max, kPatience); }

    StandingClock clock_;
    Oracle oracle_;
    SharedAnswer<int> shared_{[this] { return oracle_.answer(); }, clock_};
};

TEST_F(SharedAnswerTest, GivesAnAnswerAgainUntilItIsTooOld) {
    EXPECT_EQ(ask(seconds(1)), 1);
    clock_.advance(seconds(1));
    EXPECT_EQ(ask(seconds(1)), 1);
    clock_.advance(milliseconds(1));
    EXPECT_EQ(ask(seconds(1)), 2);
    EXPECT_EQ(ask(seconds(1)), 2);
}

TEST_F(SharedAnswerTest, JudgesTheAgeByEachCaller) {
    EXPECT_EQ(ask(seconds(1)), 1);
    clock_.advance(seconds(30));
    EXPECT_EQ(ask(seconds(60)), 1);
    EXPECT_EQ(ask(seconds(1)), 2);
}

// The answer that is on its way may be older than what the caller saw happen before it asked.
TEST_F(SharedAnswerTest, DoesNotGiveAnAskingThatBeganBeforeTheCallerCame) {
    oracle_.hold();
    auto first = std::async(std::launch::async, [this] { return ask(seconds(1)); });
    oracle_.wait_until_asked(1);
    auto second = std::async(std::launch::async, [this] { return *shared_.ask(milliseconds(-1), kPatience); });
    EXPECT_EQ(shared_.ask(milliseconds(-1), milliseconds(0)), nullptr);
    oracle_.release();
    EXPECT_GE(first.get(), 1);
    EXPECT_GE(second.get(), 2);
}

TEST_F(SharedAnswerTest, AsksOnceForAllWhoWait) {
    oracle_.hold();
    auto first = std::async(std::launch::async, [this] { return ask(seconds(1)); });
    oracle_.wait_until_asked(1);
    std::vector<std::future<int>> others;
    for (int number = 0; number < 16; number++) {
        others.push_back(std::async(std::launch::async, [this] { return ask(seconds(1)); }));
    }
    oracle_.release();
    // Who came while the first asking ran shares the second one; who came after it has an answer that is young enough.
    EXPECT_LE(first.get(), 2);
    for (auto& other : others) EXPECT_LE(other.get(), 2);
    EXPECT_LE(ask(seconds(1)), 2);
}

TEST_F(SharedAnswerTest, ToldAfterItsPatienceWhereTheQuestionHangs) {
    oracle_.hold();
    EXPECT_EQ(shared_.ask(seconds(1), milliseconds(1)), nullptr);
    EXPECT_EQ(shared_.ask(seconds(1), milliseconds(1)), nullptr);
    oracle_.release();
    EXPECT_LE(ask(seconds(1)), 2);
}

}  // namespace
}  // namespace boathouse::http
