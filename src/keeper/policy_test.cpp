#include "keeper/policy.hpp"

#include <gtest/gtest.h>

namespace boathouse::keeper {
namespace {

TEST(Policy, ReadsDurationsAndSizes) {
    EXPECT_EQ(parse_duration("7 days"), 7 * 86400.0);
    EXPECT_EQ(parse_duration("1 week 12 hours"), 7 * 86400.0 + 12 * 3600);
    EXPECT_EQ(parse_duration("90 seconds"), 90.0);
    EXPECT_EQ(parse_duration("1 MONTH"), 30 * 86400.0);
    for (const char* text : {"", "7", "days", "7 dayss", "-1 day", "7 days ago", "1e400 days"})
        EXPECT_FALSE(parse_duration(text)) << text;
    EXPECT_EQ(parse_bytes("128MB"), 128e6);
    EXPECT_EQ(parse_bytes("1 GiB"), 1073741824.0);
    EXPECT_EQ(parse_bytes("512000000"), 512e6);
    for (const char* text : {"", "MB", "12 parsecs", "1MB 2MB"}) EXPECT_FALSE(parse_bytes(text)) << text;
}

TEST(Policy, DefaultsAreValues) {
    for (const PolicyRow& row : policy_rows()) {
        if (row.default_text == "off") continue;
        EXPECT_TRUE(parse_policy(row, row.default_text)) << row.key;
    }
}

TEST(Policy, OfATableCountsBeforeItsSchemasAndTheLakes) {
    const Policies policies(
        {{"merge_files", {}, "8"}, {"merge_files", {"sales"}, "off"}, {"merge_files", {"sales", "orders"}, "4"}});
    EXPECT_EQ(policies.value("merge_files", {"main", "t"}), 8.0);
    EXPECT_EQ(policies.value("merge_files", {"sales", "t"}), std::nullopt);
    EXPECT_EQ(policies.value("merge_files", {"sales", "orders"}), 4.0);
    EXPECT_EQ(policies.text("flush_age", {"sales", "orders"}), "1 hour");
}

TEST(Policy, RefusesWhatIsNoValueOfItsKind) {
    for (const auto& [key, value] :
         {std::pair{"merge_files", "0"}, std::pair{"merge_files", "1.5"}, std::pair{"rewrite_deleted", "1.5"},
          std::pair{"snapshot_age", "soon"}, std::pair{"target_file_size", "0"}}) {
        const auto parsed = parse_policy(*find_policy(key), value);
        ASSERT_FALSE(parsed) << key;
        EXPECT_NE(parsed.error().hint.find("or off"), std::string::npos);
    }
}

}  // namespace
}  // namespace boathouse::keeper
