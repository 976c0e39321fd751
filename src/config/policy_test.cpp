#include "config/policy.hpp"

#include <gtest/gtest.h>

namespace boathouse::config {
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

TEST(Policy, RefusesWhatIsNoValueOfItsKind) {
    for (const auto& [key, value] :
         {std::pair{"merge_files", "0"}, std::pair{"merge_files", "1.5"}, std::pair{"rewrite_deleted", "1.5"},
          std::pair{"snapshot_age", "soon"}, std::pair{"target_file_size", "0"}}) {
        const auto parsed = parse_policy(*find_policy(key), value);
        ASSERT_FALSE(parsed) << key;
        EXPECT_NE(parsed.error().hint.find("or off"), std::string::npos);
    }
}

TEST(Policy, NamesMayHaveDotsInQuotes) {
    EXPECT_EQ(parse_scope("sales"), (Scope{"sales", ""}));
    EXPECT_EQ(parse_scope("sales.orders"), (Scope{"sales", "orders"}));
    EXPECT_EQ(parse_scope("\"my.schema\".\"an \"\"odd\"\" one\""), (Scope{"my.schema", "an \"odd\" one"}));
    for (const char* text : {"", ".", "a.", ".b", "a.b.c", "\"a", "a b", "\"\""})
        EXPECT_FALSE(parse_scope(text)) << text;
    EXPECT_EQ(to_text(Scope{"my.schema", "orders"}), "table \"my.schema\".orders");
}

TEST(Policy, AListIsReadAndWritten) {
    const auto list =
        parse_policy_list(" sales.orders.merge_files = off;sales.flush_age=2 hours ; \"a.b\".flush_rows = 7;");
    ASSERT_TRUE(list);
    ASSERT_EQ(list->size(), 3U);
    EXPECT_EQ(list->at(0).scope, (Scope{"sales", "orders"}));
    EXPECT_EQ(list->at(1).value, "2 hours");
    EXPECT_EQ(list->at(2).scope, (Scope{"a.b", ""}));
    EXPECT_EQ(to_policy_list(*list),
              "sales.orders.merge_files = off; sales.flush_age = 2 hours; \"a.b\".flush_rows = 7");
    EXPECT_TRUE(parse_policy_list("")->empty());
    for (const char* text :
         {"merge_files = 3", "a.b.c.merge_files = 3", "sales.merge_files", "sales.merge_files = 0",
          "sales.mergefiles = 3", "sales.snapshot_age = 3 days", "sales.flush_rows = 1; sales.flush_rows = 2"})
        EXPECT_FALSE(parse_policy_list(text)) << text;
}

}  // namespace
}  // namespace boathouse::config
