// How far a reader of a table's changes has come: what a cursor says.
//
// As a text it is "17", everything up to and with snapshot 17, or "17.4", the first four changes of snapshot 17 and
// everything before. A position names no row, so it stays good when the row is gone. Plain data and pure functions.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace boathouse::feed {

struct Position {
    long long snapshot = 0;  // the one to read next …
    long long told = 0;      // … of which so many changes have been told
    friend auto operator<=>(const Position&, const Position&) = default;
};

// All of `snapshot`, and what was before, has been told.
inline Position after(long long snapshot) {
    return {snapshot + 1, 0};
}

std::optional<Position> parse_position(std::string_view text);
std::string to_text(const Position& position);

}  // namespace boathouse::feed
