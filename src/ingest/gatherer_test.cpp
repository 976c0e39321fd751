// The gatherer with a committer that fails on demand. What a commit does to the lake, tests/ingest/ asks a real one.
#include "ingest/gatherer.hpp"

#include <gtest/gtest.h>

#include <future>

#include "engine/new_rows_impl.hpp"

namespace boathouse::ingest {
namespace {

using engine::LakeWriter;
using Verdict = LakeWriter::Verdict;

// Writes nothing; waits in each write until it is let go on, and answers as it is told.
class Script {
  public:
    explicit Script(std::deque<Verdict> verdicts) : verdicts_(std::move(verdicts)) {}

    LakeWriter::Written write(const LakeWriter::Extras& extras) {
        std::unique_lock lock(mutex_);
        ++writes_;
        since_.push_back(extras.since);
        changed_.notify_all();
        changed_.wait(lock, [this] { return !held_; });
        LakeWriter::Written written;
        if (!verdicts_.empty()) {
            written.verdict = verdicts_.front();
            verdicts_.pop_front();
        }
        written.error = {"XX001", "as the test wants it"};
        if (written.verdict == Verdict::committed) written.transaction = transaction_++;
        return written;
    }
    // PostgreSQL's snapshots that the commits were to see.
    std::vector<std::string> since() {
        const std::lock_guard lock(mutex_);
        return since_;
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
    void wait_for_writes(int count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return writes_ >= count; });
    }
    int writes() {
        const std::lock_guard lock(mutex_);
        return writes_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Verdict> verdicts_;    // under mutex_; then everything is committed
    int writes_ = 0;                  // under mutex_
    std::vector<std::string> since_;  // under mutex_
    std::uint64_t transaction_ = 10;  // under mutex_: the next commit's
    bool held_ = false;               // under mutex_
};

// Says who may write, in the snapshot that it is told, and counts the questions.
struct Judge {
    Gatherer::May may() {
        return [this](const std::string& role, const engine::NewRows&) {
            ++questions;
            return Gatherer::Judgement{role != "nobody", snapshot};
        };
    }
    int questions = 0;
    std::string snapshot{};
};

class GathererTest : public testing::Test {
  protected:
    // A member, and its answer.
    struct Joined {
        std::shared_ptr<Member> member;
        std::future<void> answer;
    };
    static Joined join(Gatherer& gatherer, std::vector<engine::NewRows> rows = {}, const std::string& role = {}) {
        auto answered = std::make_shared<std::promise<void>>();
        Joined joined;
        joined.answer = answered->get_future();
        joined.member = gatherer.join(
            rows, [answered] { answered->set_value(); }, {}, role);
        return joined;
    }
    std::unique_ptr<Gatherer> gatherer_of(Script& script, int conflict_tries_max = 8) {
        return gatherer_of(script, judge_, conflict_tries_max);
    }
    std::unique_ptr<Gatherer> gatherer_of(Script& script, Judge& judge, int conflict_tries_max = 8) {
        Gatherer::Options options;
        options.conflict_tries_max = conflict_tries_max;
        return std::make_unique<Gatherer>(
            [&script](const auto&, const LakeWriter::Extras& extras) { return script.write(extras); }, judge.may(),
            clock_, options);
    }
    static std::vector<engine::NewRows> rows_of(const std::shared_ptr<const engine::TableShape>& shape) {
        auto impl = std::make_unique<engine::NewRows::Impl>();
        impl->shape = shape;
        impl->few = duckdb::make_uniq<duckdb::DataChunk>();
        std::vector<engine::NewRows> rows;
        rows.emplace_back(std::move(impl));
        return rows;
    }
    // Three members, of which the last two share a batch.
    static std::vector<Joined> join_three(Gatherer& gatherer, Script& script) {
        std::vector<Joined> joined;
        script.hold();
        joined.push_back(join(gatherer));
        script.wait_for_writes(1);
        joined.push_back(join(gatherer));
        joined.push_back(join(gatherer));
        script.release();
        for (Joined& one : joined) one.answer.wait();
        return joined;
    }

    const SystemClock clock_;
    Judge judge_;
};

TEST_F(GathererTest, ThoseWhoComeDuringACommitAreTheNextBatch) {
    Script script({});
    const auto gatherer = gatherer_of(script);
    const auto joined = join_three(*gatherer, script);
    for (const Joined& one : joined) EXPECT_EQ(one.member->fate(), Fate::committed);
    EXPECT_EQ(script.writes(), 2);
    EXPECT_EQ(gatherer->counters().batches, 2u);
    EXPECT_EQ(gatherer->counters().members, 3u);
    EXPECT_EQ(gatherer->counters().waiting, 0u);
}

TEST_F(GathererTest, ABatchThatFailsIsWrittenMemberByMember) {
    Script script({Verdict::committed, Verdict::failed, Verdict::failed, Verdict::committed});
    const auto gatherer = gatherer_of(script);
    const auto joined = join_three(*gatherer, script);
    EXPECT_EQ(joined[1].member->fate(), Fate::failed);
    EXPECT_EQ(joined[1].member->error().sqlstate, "XX001");
    EXPECT_EQ(joined[2].member->fate(), Fate::committed);
    EXPECT_EQ(script.writes(), 4);
}

TEST_F(GathererTest, WhoMayNotIsRefusedAndTheOthersAreWritten) {
    Script script({});
    Judge judge;
    const auto gatherer = gatherer_of(script, judge);
    script.hold();
    const Joined writing = join(*gatherer);
    script.wait_for_writes(1);
    const auto table = std::make_shared<const engine::TableShape>();
    std::vector<Joined> batch;
    for (const char* role : {"somebody", "nobody", "somebody", "nobody", ""})
        batch.push_back(join(*gatherer, rows_of(table), role));
    script.release();
    for (Joined& one : batch) one.answer.wait();
    EXPECT_EQ(batch[0].member->fate(), Fate::committed);
    EXPECT_EQ(batch[1].member->fate(), Fate::refused);
    EXPECT_EQ(batch[2].member->fate(), Fate::committed);
    EXPECT_EQ(batch[3].member->fate(), Fate::refused);
    EXPECT_EQ(batch[4].member->fate(), Fate::committed);
    EXPECT_EQ(judge.questions, 2);
    EXPECT_EQ(script.writes(), 2);
    EXPECT_EQ(gatherer->counters().members, 4u);
}

TEST_F(GathererTest, WhoMayIsAskedOnceWhileNobodyElseCommits) {
    Script script({});
    Judge judge{.snapshot = "10:10:"};
    const auto gatherer = gatherer_of(script, judge);
    const auto table = std::make_shared<const engine::TableShape>();
    for (int i = 0; i < 3; ++i) join(*gatherer, rows_of(table), "somebody").answer.wait();
    EXPECT_EQ(judge.questions, 1);
    EXPECT_EQ(script.since(), (std::vector<std::string>{"", "11:11:", "12:12:"}));
    // Another's right is asked for, in the same snapshot, and the first one's is still known.
    judge.snapshot = "13:13:";
    join(*gatherer, rows_of(table), "another").answer.wait();
    join(*gatherer, rows_of(table), "somebody").answer.wait();
    EXPECT_EQ(judge.questions, 2);
    // Who may not is asked for each time.
    for (int i = 0; i < 2; ++i) {
        const Joined refused = join(*gatherer, rows_of(table), "nobody");
        refused.answer.wait();
        EXPECT_EQ(refused.member->fate(), Fate::refused);
    }
    EXPECT_EQ(judge.questions, 4);
}

TEST_F(GathererTest, WhoMayIsAskedAnewOnceOthersHaveCommitted) {
    Script script({Verdict::committed, Verdict::moved, Verdict::committed, Verdict::committed});
    Judge judge{.snapshot = "10:10:"};
    const auto gatherer = gatherer_of(script, judge);
    const auto table = std::make_shared<const engine::TableShape>();
    join(*gatherer, rows_of(table), "somebody").answer.wait();
    judge.snapshot = "20:20:";  // from which the next commit, of transaction 11, does not follow
    const Joined second = join(*gatherer, rows_of(table), "somebody");
    second.answer.wait();
    EXPECT_EQ(second.member->fate(), Fate::committed);
    join(*gatherer, rows_of(table), "somebody").answer.wait();
    EXPECT_EQ(judge.questions, 3);
    EXPECT_EQ(script.since(), (std::vector<std::string>{"", "11:11:", "", ""}));
}

TEST_F(GathererTest, WhatWasKnownEndsWithWhatIsLearnt) {
    Script script({});
    Judge judge{.snapshot = "10:10:"};
    const auto gatherer = gatherer_of(script, judge);
    const auto table = std::make_shared<const engine::TableShape>();
    join(*gatherer, rows_of(table), "somebody").answer.wait();
    judge.snapshot = "20:20:";
    script.hold();
    const Joined writing = join(*gatherer);
    script.wait_for_writes(2);
    // One of whom it is known, one of whom it is not, and whose answer is of a later snapshot: both are asked for.
    const Joined known = join(*gatherer, rows_of(table), "somebody");
    const Joined unknown = join(*gatherer, rows_of(table), "another");
    script.release();
    known.answer.wait();
    unknown.answer.wait();
    EXPECT_EQ(judge.questions, 3);
    EXPECT_EQ(script.since(), (std::vector<std::string>{"", "", ""}));
}

TEST_F(GathererTest, WhatMayHaveBeenWrittenIsNotWrittenAgain) {
    Script script({Verdict::committed, Verdict::unknown});
    const auto gatherer = gatherer_of(script);
    const auto joined = join_three(*gatherer, script);
    EXPECT_EQ(joined[1].member->fate(), Fate::failed);
    EXPECT_EQ(joined[2].member->fate(), Fate::failed);
    EXPECT_EQ(script.writes(), 2);
}

TEST_F(GathererTest, AConflictIsTriedAgainAndThenTold) {
    Script script({Verdict::conflict, Verdict::committed, Verdict::conflict, Verdict::conflict});
    const auto gatherer = gatherer_of(script, 2);
    const Joined lucky = join(*gatherer);
    lucky.answer.wait();
    EXPECT_EQ(lucky.member->fate(), Fate::committed);
    const Joined unlucky = join(*gatherer);
    unlucky.answer.wait();
    EXPECT_EQ(unlucky.member->fate(), Fate::failed);
    EXPECT_EQ(unlucky.member->error().sqlstate, "40001");
    EXPECT_EQ(gatherer->counters().conflicts, 3u);
}

TEST_F(GathererTest, WhoWaitsMayWithdrawAndWhoIsWrittenMayNot) {
    Script script({});
    const auto gatherer = gatherer_of(script);
    script.hold();
    const Joined writing = join(*gatherer);
    script.wait_for_writes(1);
    const Joined waiting = join(*gatherer);
    EXPECT_FALSE(gatherer->withdraw(*writing.member));
    EXPECT_TRUE(gatherer->withdraw(*waiting.member));
    EXPECT_EQ(waiting.member->fate(), Fate::withdrawn);
    script.release();
    writing.answer.wait();
    EXPECT_EQ(writing.member->fate(), Fate::committed);
    EXPECT_EQ(script.writes(), 1);
}

TEST_F(GathererTest, TheEndWritesWhatHasJoined) {
    Script script({});
    auto gatherer = gatherer_of(script);
    script.hold();
    const Joined writing = join(*gatherer);
    script.wait_for_writes(1);
    const Joined waiting = join(*gatherer);
    script.release();
    gatherer.reset();
    EXPECT_EQ(writing.member->fate(), Fate::committed);
    EXPECT_EQ(waiting.member->fate(), Fate::committed);
}

}  // namespace
}  // namespace boathouse::ingest
