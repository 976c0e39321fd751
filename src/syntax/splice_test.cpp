#include "syntax/splice.hpp"

#include <gtest/gtest.h>

namespace boathouse::syntax {

namespace {

TEST(Splices, ChangesTheTextAndFindsTheWayBack) {
    const std::string text = "SELECT a ~ 'x' FROM t FOR UPDATE WHERE b";
    Splices splices;
    splices.remove(text.find("FOR UPDATE"), text.find(" WHERE"));
    splices.replace(text.find('~'), text.find('~') + 1, "@~");
    const Splices::Applied applied = splices.apply(text);
    EXPECT_EQ(applied.text, "SELECT a @~ 'x' FROM t   WHERE b");
    EXPECT_EQ(applied.positions.to_client(applied.text.find("a ")), text.find("a "));
    EXPECT_EQ(applied.positions.to_client(applied.text.find("FROM")), text.find("FROM"));
    EXPECT_EQ(applied.positions.to_client(applied.text.rfind('b')), text.rfind('b'));
    EXPECT_EQ(applied.positions.to_client(applied.text.find('@') + 1), text.find('~'));
}

TEST(Splices, KeepsTheOrderOfWhatIsPutInAtOnePlace) {
    Splices splices;
    splices.insert(1, "x");
    splices.insert(1, "y");
    EXPECT_EQ(splices.apply("ab").text, "axyb");
}

TEST(Splices, PutsInBeforeWhatIsTakenAway) {
    Splices splices;
    splices.replace(1, 2, "-");
    splices.insert(1, "x");
    EXPECT_EQ(splices.apply("abc").text, "ax-c");
}

TEST(PositionMap, IsTheIdentityWithoutChanges) {
    EXPECT_EQ(PositionMap().to_client(7), 7U);
}

}  // namespace

}  // namespace boathouse::syntax
