// Rows of which only the texts are known yet: what a reader of JSON or CSV has found, before a table's types say what
// it means.
//
// Built by one thread (src/ingest), then read by Session::take_rows(). All texts lie in one string and are valid UTF-8;
// a cell is a place in it. Columns are those that any row has named, in the order of their first appearance.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace boathouse::engine {

struct TextCell {
    enum class Kind : std::uint8_t {
        absent,  // the row does not name the column: it has its default
        null,
        text,  // a string, without quotes and escapes
        json,  // anything else of JSON, as it is written: a number, true, {"a": 1}
    };
    std::size_t at = 0;
    std::uint32_t size = 0;
    Kind kind = Kind::absent;
};

struct TextColumn {
    std::string name;
    std::vector<TextCell> cells;  // one a row; those at the end that are absent may be missing
};

struct TextRows {
    std::vector<TextColumn> columns;
    std::string text;
    std::vector<std::uint64_t> places;  // of each row in the body: its line, or its number in an array
    bool is_json = false;               // strings are strings: a text for a column of JSON is not read as JSON
};

}  // namespace boathouse::engine
