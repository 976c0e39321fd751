#include "config/day_window.hpp"

#include <cctype>

namespace boathouse::config {
namespace {

constexpr int kMinutesADay = 24 * 60;
constexpr std::size_t kWindowLength = 11;  // "22:00-06:00"

int digit(char character) {
    return std::isdigit(static_cast<unsigned char>(character)) != 0 ? character - '0' : -1;
}

// "22:00"; -1 where it is no time.
int minute_of_day(std::string_view text) {
    for (const std::size_t at : {0U, 1U, 3U, 4U}) {
        if (digit(text[at]) < 0) return -1;
    }
    const int hour = digit(text[0]) * 10 + digit(text[1]);
    const int minute = digit(text[3]) * 10 + digit(text[4]);
    return text[2] == ':' && hour < 24 && minute < 60 ? hour * 60 + minute : -1;
}

}  // namespace

bool DayWindow::contains(long long unix_seconds) const {
    const int minute = static_cast<int>(unix_seconds / 60 % kMinutesADay);
    if (begin_minute <= end_minute) return minute >= begin_minute && minute < end_minute;
    return minute >= begin_minute || minute < end_minute;
}

std::optional<DayWindow> parse_day_window(std::string_view text) {
    if (text.size() != kWindowLength || text[5] != '-') return std::nullopt;
    const DayWindow window{minute_of_day(text.substr(0, 5)), minute_of_day(text.substr(6))};
    if (window.begin_minute < 0 || window.end_minute < 0 || window.begin_minute == window.end_minute)
        return std::nullopt;
    return window;
}

}  // namespace boathouse::config
