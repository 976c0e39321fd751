#include "engine/similar_pattern.hpp"

#include <gtest/gtest.h>

namespace boathouse::engine {

namespace {

TEST(SimilarPattern, TurnsWildcardsIntoRegularExpressions) {
    EXPECT_EQ(similar_to_regex("a%"), "a.*");
    EXPECT_EQ(similar_to_regex("%(b|d)%"), ".*(b|d).*");
    EXPECT_EQ(similar_to_regex("_x{2}"), ".x{2}");
}

TEST(SimilarPattern, KeepsWhatIsEscapedOrInBrackets) {
    EXPECT_EQ(similar_to_regex("10\\%"), "10\\%");
    EXPECT_EQ(similar_to_regex("[%_]a"), "[%_]a");
}

TEST(SimilarPattern, TakesItsMeaningFromWhatIsSpecialInRegularExpressionsAlone) {
    EXPECT_EQ(similar_to_regex("a.b^c$"), "a\\.b\\^c\\$");
}

}  // namespace

}  // namespace boathouse::engine
