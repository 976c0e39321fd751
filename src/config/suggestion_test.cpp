#include "config/suggestion.hpp"

#include <gtest/gtest.h>

namespace boathouse::config {
namespace {

TEST(Suggestion, CountsEdits) {
    EXPECT_EQ(edit_distance("", "abc"), 3U);
    EXPECT_EQ(edit_distance("port", "port"), 0U);
    EXPECT_EQ(edit_distance("prot", "port"), 1U);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Suggestion, NamesTheNearestThatMayBeMeant) {
    const std::vector<std::string> known = {"listen", "sql_port", "http_port"};
    EXPECT_EQ(nearest("sqlport", known), "sql_port");
    EXPECT_EQ(nearest("lisen", known), "listen");
    EXPECT_EQ(nearest("compression", known), "");
    EXPECT_EQ(did_you_mean("htp_port", known), " (did you mean http_port?)");
    EXPECT_EQ(did_you_mean(std::string(100000, 'x'), known), "");
}

}  // namespace
}  // namespace boathouse::config
