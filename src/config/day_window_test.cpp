#include "config/day_window.hpp"

#include <gtest/gtest.h>

namespace boathouse::config {
namespace {

constexpr long long kHour = 3600;

TEST(DayWindow, MayPassMidnight) {
    const auto night = parse_day_window("22:00-06:30");
    ASSERT_TRUE(night);
    EXPECT_TRUE(night->contains(23 * kHour));
    EXPECT_TRUE(night->contains(24 * kHour));
    EXPECT_TRUE(night->contains(6 * kHour + 29 * 60));
    EXPECT_FALSE(night->contains(6 * kHour + 30 * 60));
    EXPECT_FALSE(night->contains(12 * kHour));
    const auto day = parse_day_window("08:00-17:00");
    EXPECT_TRUE(day->contains(8 * kHour));
    EXPECT_FALSE(day->contains(17 * kHour));
}

TEST(DayWindow, IsRefusedWhereItIsNone) {
    for (const char* text :
         {"", "22:00", "22-06", "24:00-06:00", "22:60-06:00", "22:00-22:00", "22:00_06:00", "a2:00-06:00"})
        EXPECT_FALSE(parse_day_window(text)) << text;
}

}  // namespace
}  // namespace boathouse::config
