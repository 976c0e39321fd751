#include "engine/json_tree.hpp"

#include <gtest/gtest.h>

#include <duckdb.hpp>

namespace boathouse::engine {
namespace {

std::string normal(std::string_view text) {
    return write_json(read_json(text));
}

TEST(JsonTree, WritesWhatPostgresWrites) {
    EXPECT_EQ(normal(R"( {"bb":1, "a" : [true,null,"x"],"c":{}} )"), R"({"a": [true, null, "x"], "c": {}, "bb": 1})");
    EXPECT_EQ(normal(R"({"a":1,"a":{"b":2}})"), R"({"a": {"b": 2}})");
    EXPECT_EQ(normal("[]"), "[]");
    EXPECT_EQ(normal("7"), "7");
}

TEST(JsonTree, KeepsTheDigitsOfNumbers) {
    EXPECT_EQ(normal("[1.10,12345678901234567890123,-0.5,1e3]"), "[1.10, 12345678901234567890123, -0.5, 1e3]");
}

TEST(JsonTree, KeepsTexts) {
    EXPECT_EQ(normal("\"\\u00e9 \\\"q\\\" \\n\""), "\"\xc3\xa9 \\\"q\\\" \\n\"");
    const std::string long_text(100'000, 'x');
    EXPECT_EQ(normal("\"" + long_text + "\""), "\"" + long_text + "\"");
}

TEST(JsonTree, RefusesWhatIsNoJson) {
    for (const char* text : {"", "{", "[1,]", "{\"a\"}", "1 2", "nul", "'a'"})
        EXPECT_THROW(read_json(text), duckdb::InvalidInputException) << text;
    EXPECT_THROW(read_json(std::string(2 * kJsonDepthMax, '[')), duckdb::InvalidInputException);
}

TEST(JsonTree, FindsThePlaceOfAPath) {
    const JsonNode node = read_json(R"({"a":[1,{"b":2}]})");
    EXPECT_EQ(write_json(with_value(node, {"a", "-1", "b"}, read_json("3"), Place::only_existing)),
              R"({"a": [1, {"b": 3}]})");
    EXPECT_EQ(write_json(with_value(node, {"a", "0"}, read_json("9"), Place::after)), R"({"a": [1, 9, {"b": 2}]})");
    EXPECT_EQ(write_json(with_value(node, {"x", "y"}, read_json("9"), Place::existing_or_new)),
              R"({"a": [1, {"b": 2}]})");
    EXPECT_THROW(with_value(node, {"a", "one"}, read_json("9"), Place::before), duckdb::InvalidInputException);
    EXPECT_EQ(write_json(without_path(node, {"a", "1", "b"})), R"({"a": [1, {}]})");
}

}  // namespace
}  // namespace boathouse::engine
