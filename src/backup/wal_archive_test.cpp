#include "backup/wal_archive.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boathouse::backup {
namespace {

TEST(WalNamesTest, CountsThroughTheEndOfALog) {
    EXPECT_EQ(next_wal_name("000000010000000000000003"), "000000010000000000000004");
    EXPECT_EQ(next_wal_name("0000000A00000001000000FF"), "0000000A0000000200000000");
}

TEST(WalNamesTest, TellsPiecesFromOtherFiles) {
    EXPECT_TRUE(is_wal_name("0000000100000000000000AF"));
    EXPECT_FALSE(is_wal_name("00000002.history"));
    EXPECT_FALSE(is_wal_name("0000000100000000000000af"));
}

TEST(WalNamesTest, FindsTheFirstGap) {
    const std::string first = "000000010000000000000003";
    const std::string second = next_wal_name(first);
    const std::string third = next_wal_name(second);
    EXPECT_EQ(first_gap({first, second, third}, first), "");
    EXPECT_EQ(first_gap({first, third}, first), second);
    EXPECT_EQ(first_gap({second, third}, first), first);
    EXPECT_EQ(first_gap({first, second}, second), "") << "what was before does not matter";
    EXPECT_EQ(first_gap({first}, second), "") << "not archived yet";
    EXPECT_EQ(first_gap({first, "000000020000000000000009"}, first), "") << "another timeline's";
}

TEST(WalNamesTest, OrdersWhateverTheTimeline) {
    EXPECT_TRUE(is_earlier_wal("000000020000000000000003", "000000010000000000000004"));
    EXPECT_FALSE(is_earlier_wal("000000010000000000000004", "000000020000000000000004"));
}

}  // namespace
}  // namespace boathouse::backup
