#include "feed/position.hpp"

#include <charconv>

namespace boathouse::feed {
namespace {

std::optional<long long> number(std::string_view text) {
    constexpr std::size_t kDigitsMax = 18;
    if (text.empty() || text.size() > kDigitsMax || text.find_first_not_of("0123456789") != std::string_view::npos)
        return std::nullopt;
    long long value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

std::optional<Position> parse_position(std::string_view text) {
    const std::size_t dot = text.find('.');
    const auto snapshot = number(text.substr(0, dot));
    if (!snapshot) return std::nullopt;
    if (dot == std::string_view::npos) return after(*snapshot);
    const auto told = number(text.substr(dot + 1));
    if (!told) return std::nullopt;
    return Position{*snapshot, *told};
}

std::string to_text(const Position& position) {
    if (position.told == 0) return std::to_string(position.snapshot - 1);
    return std::to_string(position.snapshot) + "." + std::to_string(position.told);
}

}  // namespace boathouse::feed
