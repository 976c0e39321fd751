#include "mirror/names.hpp"

#include <gtest/gtest.h>

namespace boathouse::mirror {
namespace {

TEST(Names, KeepsWhatPostgresqlTakes) {
    EXPECT_EQ(relation_name("Order \"x\" ä", 7), "Order \"x\" ä");
    EXPECT_EQ(relation_name("pg_something", 7), "pg_something");
    EXPECT_EQ(relation_name(std::string(63, 'a'), 7), std::string(63, 'a'));
    EXPECT_EQ(column_name("select", 1), "select");
}

TEST(Names, MarksWhatIsTooLongByItsNumber) {
    const std::string name = relation_name(std::string(64, 'a'), 4711);
    EXPECT_EQ(name, std::string(58, 'a') + "~4711");
    EXPECT_NE(name, relation_name(std::string(64, 'a'), 4712));
    EXPECT_EQ(relation_name("", 3), "~3");
}

TEST(Names, CutsBetweenCharacters) {
    std::string name = "a";
    for (int i = 0; i < 40; ++i) name += "ä";
    EXPECT_EQ(relation_name(name, 1).size(), 63U);
    EXPECT_EQ(relation_name("a" + name, 1).size(), 62U) << "one byte more and half a character would be left";
    EXPECT_TRUE(relation_name(name, 1).ends_with("ä~1"));
}

TEST(Names, MarksSystemColumns) {
    EXPECT_EQ(column_name("xmin", 4), "xmin~4");
    EXPECT_EQ(relation_name("xmin", 4), "xmin");
}

TEST(Names, ShowsMainAsPublicUnlessThereIsAPublic) {
    EXPECT_EQ(schema_name("main", 0, {}), "public");
    EXPECT_EQ(schema_name("main", 0, {.lake_has_public = true}), "main");
    EXPECT_EQ(schema_name("public", 5, {.lake_has_public = true}), "public");
}

TEST(Names, MarksSchemasThatPostgresqlKeeps) {
    EXPECT_EQ(schema_name("pg_catalog", 5, {}), "_pg_catalog~5");
    EXPECT_EQ(schema_name("information_schema", 5, {}), "information_schema~5");
}

}  // namespace
}  // namespace boathouse::mirror
