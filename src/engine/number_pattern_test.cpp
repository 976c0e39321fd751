#include "engine/number_pattern.hpp"

#include <gtest/gtest.h>

namespace boathouse::engine {

namespace {

// What PostgreSQL 15 answers to SELECT to_char(number, pattern).
TEST(NumberPattern, WritesWhatPostgresWrites) {
    EXPECT_EQ(format_number("485", "999"), " 485");
    EXPECT_EQ(format_number("-485", "999"), "-485");
    EXPECT_EQ(format_number("12", "9999"), "   12");
    EXPECT_EQ(format_number("-12", "9999"), "  -12");
    EXPECT_EQ(format_number("1485", "9,999"), " 1,485");
    EXPECT_EQ(format_number("485", "9,999"), "   485");
    EXPECT_EQ(format_number("148.5", "999.999"), " 148.500");
    EXPECT_EQ(format_number("148.5", "FM999.999"), "148.5");
    EXPECT_EQ(format_number("148.5", "FM999.990"), "148.500");
    EXPECT_EQ(format_number("0.1", "0.9"), " 0.1");
    EXPECT_EQ(format_number("-0.1", "FM9.99"), "-.1");
    EXPECT_EQ(format_number("12", "9990999.9"), "    0012.0");
    EXPECT_EQ(format_number("12", "FM9990999.9"), "0012.");
    EXPECT_EQ(format_number("5", "FM000"), "005");
    EXPECT_EQ(format_number("1234567.891", "FM999,999,999.00"), "1,234,567.89");
    EXPECT_EQ(format_number("485", "S999"), "+485");
    EXPECT_EQ(format_number("-485", "999MI"), "485-");
    EXPECT_EQ(format_number("0", "999"), "   0");
}

TEST(NumberPattern, RoundsHalvesAwayFromZero) {
    EXPECT_EQ(format_number("2.5", "FM9"), "3");
    EXPECT_EQ(format_number("-2.5", "FM9"), "-3");
    EXPECT_EQ(format_number("99.995", "FM999.00"), "100.00");
}

TEST(NumberPattern, FillsWithHashesWhatDoesNotFit) {
    EXPECT_EQ(format_number("1000", "FM99"), "##");
}

}  // namespace

}  // namespace boathouse::engine
