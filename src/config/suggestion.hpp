// "Did you mean": the known name nearest to one that nobody knows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace boathouse::config {

// Insertions, deletions, replacements and swaps of neighbours that make `a` of `b` (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of `known`, or "" when none is near enough (a third of its length) to be meant.
std::string nearest(std::string_view unknown, const std::vector<std::string>& known);

// " (did you mean X?)", or "".
std::string did_you_mean(std::string_view unknown, const std::vector<std::string>& known);

}  // namespace boathouse::config
