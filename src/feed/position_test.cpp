#include "feed/position.hpp"

#include <gtest/gtest.h>

namespace boathouse::feed {
namespace {

TEST(Position, IsWhatItsTextSays) {
    for (const char* text : {"0", "17", "17.4", "999999999999999999.1"}) {
        const auto position = parse_position(text);
        ASSERT_TRUE(position) << text;
        EXPECT_EQ(to_text(*position), text);
    }
    EXPECT_EQ(*parse_position("17"), (Position{18, 0}));
    EXPECT_EQ(*parse_position("17.4"), (Position{17, 4}));
    EXPECT_EQ(*parse_position("18.0"), *parse_position("17"));
}

TEST(Position, GoesForward) {
    EXPECT_LT(*parse_position("16"), *parse_position("17.4"));
    EXPECT_LT(*parse_position("17.4"), *parse_position("17.10"));
    EXPECT_LT(*parse_position("17.10"), *parse_position("17"));
}

TEST(Position, IsRefusedWhereItIsNone) {
    for (const char* text : {"", "-1", "x", "1.", ".1", "1.2.3", " 1", "1e3", "9999999999999999999"})
        EXPECT_FALSE(parse_position(text)) << text;
}

}  // namespace
}  // namespace boathouse::feed
