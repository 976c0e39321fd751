#include "keeper/plan.hpp"

#include <gmock/gmock.h>

namespace boathouse::keeper {
namespace {

constexpr double kNow = 1'800'000'000;
constexpr double kDay = 86'400;

Survey with_table(TableFacts table) {
    Survey survey;
    table.id = 7;
    table.schema = "main";
    table.table = "t";
    survey.tables[table.id] = table;
    return survey;
}

std::vector<Step> plan(const Survey& survey, const Policies& policies = {}, const Kept& kept = {}) {
    return make_plan(survey, policies, kept, kNow, kNow);
}

// A hundred thousand files of 500 bytes: the first step takes those of their class into files of 128 KiB, some hundred
// each.
TEST(Plan, BoundsAMergeByTheSizeOfWhatGoesIn) {
    TableFacts table;
    table.classes = {{.size_class = 2, .files = 100'000, .bytes = 50'000'000}};
    const auto steps = plan(with_table(table));
    ASSERT_EQ(steps.size(), 1U);
    EXPECT_EQ(steps[0].job, Job::merge);
    EXPECT_EQ(steps[0].file_bytes_max, 4096);
    EXPECT_EQ(steps[0].target_bytes, 4096 * 32);
}

TEST(Plan, MergesTheSmallestFirstAndLeavesTheLargeAlone) {
    TableFacts table;
    table.classes = {{.size_class = 6, .files = 40, .bytes = 40LL << 26},
                     {.size_class = 3, .files = 20, .bytes = 400'000}};
    auto steps = plan(with_table(table));
    ASSERT_EQ(steps.size(), 1U);
    EXPECT_EQ(steps[0].file_bytes_max, 65'536);
    table.classes = {{.size_class = 7, .files = 40, .bytes = 40LL << 29}};
    EXPECT_TRUE(plan(with_table(table)).empty()) << "half of the target size and more";
}

TEST(Plan, LeavesFilesWithDeletesToTheRewriting) {
    TableFacts table;
    table.classes = {{.size_class = 2, .files = 20, .bytes = 10'000, .files_with_deletes = 20}};
    table.deleted_fractions.assign(20, 0.1);
    const auto steps = plan(with_table(table));
    ASSERT_EQ(steps.size(), 1U);
    EXPECT_EQ(steps[0].job, Job::rewrite);
    EXPECT_EQ(steps[0].delete_threshold, 0);
}

TEST(Plan, TellsHowLongRowsHaveWaitedWhereThatIsKnown) {
    TableFacts table;
    table.inlined_rows = 1;
    table.inlined_since_unix = kNow - 40 * kDay;
    auto steps = plan(with_table(table));
    ASSERT_EQ(steps.size(), 1U);
    EXPECT_EQ(steps[0].job, Job::flush);
    EXPECT_THAT(steps[0].why, testing::HasSubstr("for 3456000 s"));
    table.inlined_since_unix = kBeforeSnapshots;
    steps = plan(with_table(table));
    ASSERT_EQ(steps.size(), 1U);
    EXPECT_THAT(steps[0].why, testing::HasSubstr("since before the oldest snapshot"));
}

TEST(Plan, LeavesATableAloneThatIsNotToBeCompacted) {
    TableFacts table;
    table.classes = {{.size_class = 2, .files = 100, .bytes = 10'000}};
    table.compacts = false;
    EXPECT_TRUE(plan(with_table(table)).empty());
}

TEST(Plan, EndsSnapshotsByAgeAndCountInBoundedSteps) {
    Survey survey;
    survey.snapshots = 5001;
    for (long long id = 0; id < 5000; ++id) survey.oldest.push_back({id, kNow - 40 * kDay});
    const auto steps = plan(survey, {}, {.tags = {{"kept", 3, ""}}});
    ASSERT_EQ(steps.size(), 1U);
    EXPECT_EQ(steps[0].snapshots.size(), 1000U);
    EXPECT_THAT(steps[0].snapshots, ::testing::Not(::testing::Contains(3)));

    for (SnapshotFacts& snapshot : survey.oldest) snapshot.at_unix = kNow;
    EXPECT_TRUE(plan(survey).empty());
    const Policies few({{"snapshots_max", {}, "4990"}});
    EXPECT_EQ(plan(survey, few).at(0).snapshots.size(), 11U);
}

TEST(Plan, LeavesWhatAConsumerHasYetToReadForAWhile) {
    Survey survey;
    survey.snapshots = 101;
    for (long long id = 0; id < 100; ++id) survey.oldest.push_back({id, kNow - static_cast<double>(140 - id) * kDay});
    const auto steps = plan(survey, {}, {.unread_from = 90});
    ASSERT_EQ(steps.size(), 1U);
    EXPECT_EQ(steps[0].snapshots.back(), 88) << "51 days old, and what 90 deleted is read from it";
    const auto late = plan(survey, {}, {.unread_from = 10});
    EXPECT_EQ(late.at(0).snapshots.back(), 79) << "consumer_age is 60 days";
    const Policies off({{"consumer_age", {}, "off"}});
    EXPECT_EQ(plan(survey, off, {.unread_from = 10}).at(0).snapshots.back(), 99);
}

TEST(Plan, NeverDeletesWithinTheBackupRetention) {
    Survey survey;
    survey.scheduled = {{10, kNow - 5 * kDay}, {20, kNow - kDay}};
    EXPECT_EQ(plan(survey).size(), 1U);
    EXPECT_LT(plan(survey)[0].before_unix, kNow - 4 * kDay);
    const Policies backed({{"backup_retention", {}, "6 days"}});
    EXPECT_TRUE(plan(survey, backed).empty());
    const Policies off({{"cleanup_age", {}, "off"}});
    EXPECT_TRUE(plan(survey, off).empty());
}

}  // namespace
}  // namespace boathouse::keeper
