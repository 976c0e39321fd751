// A JSON text as a tree that keeps every number as it was written, and PostgreSQL's operations of jsonb on it.
//
// The text that write_json() gives is the one that PostgreSQL's jsonb has: of a key that comes twice the last, keys
// ordered by length and then by bytes, one space after each colon and comma
// (https://www.postgresql.org/docs/15/datatype-json.html). Two values are equal when these texts are; a number counts
// as its digits, so 1 and 1.0 differ here.
//
// Private to src/engine/. Plain data and pure functions; any thread. They throw duckdb::InvalidInputException with
// PostgreSQL's words. Nesting is bounded by kJsonDepthMax.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace boathouse::engine {

inline constexpr std::size_t kJsonDepthMax = 1000;

struct JsonMember;

struct JsonNode {
    enum class Kind { null, boolean, number, string, array, object };

    Kind kind = Kind::null;
    std::string text;  // of a boolean or number, as it is written; of a string, its characters
    std::vector<JsonNode> items;
    std::vector<JsonMember> members;

    bool is_scalar() const { return kind != Kind::array && kind != Kind::object; }
};

struct JsonMember {
    std::string key;
    JsonNode value;
};

JsonNode read_json(std::string_view text);
std::string write_json(const JsonNode& node);

// jsonb || jsonb
JsonNode concatenate(JsonNode left, JsonNode right);
// jsonb - text, jsonb - integer: what has that key, that string or that place is left out.
JsonNode without_key(JsonNode node, std::string_view key);
JsonNode without_item(JsonNode node, std::int64_t index);
// jsonb #- text[]
JsonNode without_path(JsonNode node, const std::vector<std::string>& path);
// jsonb ? text
bool has_key(const JsonNode& node, std::string_view key);

enum class Place { only_existing, existing_or_new, before, after };
// jsonb_set() and jsonb_insert()
JsonNode with_value(JsonNode node, const std::vector<std::string>& path, const JsonNode& value, Place place);
// jsonb_strip_nulls()
JsonNode without_nulls(JsonNode node);

}  // namespace boathouse::engine
