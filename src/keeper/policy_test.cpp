#include "keeper/policy.hpp"

#include <gtest/gtest.h>

namespace boathouse::keeper {
namespace {

TEST(Policy, OfATableCountsBeforeItsSchemasAndTheLakes) {
    const Policies policies(
        {{"merge_files", {}, "8"}, {"merge_files", {"sales"}, "off"}, {"merge_files", {"sales", "orders"}, "4"}});
    EXPECT_EQ(policies.value("merge_files", {"main", "t"}), 8.0);
    EXPECT_EQ(policies.value("merge_files", {"sales", "t"}), std::nullopt);
    EXPECT_EQ(policies.value("merge_files", {"sales", "orders"}), 4.0);
    EXPECT_EQ(policies.text("flush_age", {"sales", "orders"}), "1 hour");
}

TEST(Policy, WhatIsSetCountsBeforeWhatIsConfiguredForTheSame) {
    const std::string file = "/etc/boathouse.toml:3";
    const Policies policies({{"merge_files", {}, "8"},
                             {"merge_files", {"sales", "orders"}, "4"},
                             {"merge_files", {}, "64", file},
                             {"merge_files", {"sales"}, "32", file},
                             {"merge_files", {"sales", "orders"}, "off", file}});
    EXPECT_EQ(policies.text("merge_files"), "8");
    EXPECT_EQ(policies.text("merge_files", {"sales", "t"}), "32") << "the schema's, though only configured";
    EXPECT_EQ(policies.origin("merge_files", {"sales", "t"}), file);
    EXPECT_EQ(policies.text("merge_files", {"sales", "orders"}), "4");
    EXPECT_EQ(policies.origin("merge_files", {"sales", "orders"}), "set");
    EXPECT_EQ(policies.origin("flush_age", {"sales", "orders"}), "default");
    ASSERT_EQ(policies.for_parts().size(), 2U);
    EXPECT_EQ(policies.for_parts()[0].value, "4");
    EXPECT_EQ(policies.for_parts()[1].value, "32");
}

}  // namespace
}  // namespace boathouse::keeper
