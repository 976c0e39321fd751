// Hours of the day, "22:00-06:00", in UTC; a window may pass midnight. Plain data.
#pragma once

#include <optional>
#include <string_view>

namespace boathouse::config {

struct DayWindow {
    int begin_minute = 0;  // of the day
    int end_minute = 0;    // excluded
    bool contains(long long unix_seconds) const;
};

// Nothing where `text` is no window.
std::optional<DayWindow> parse_day_window(std::string_view text);

}  // namespace boathouse::config
