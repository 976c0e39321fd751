#include "supervisor/restart_policy.hpp"

#include <algorithm>

namespace boathouse::supervisor {

std::optional<std::chrono::milliseconds> RestartPolicy::died() {
    const auto now = clock_.steady_now();
    while (!deaths_.empty() && now - deaths_.front() >= limits_.window) deaths_.pop_front();
    if (deaths_.size() >= limits_.deaths_max) return std::nullopt;
    deaths_.push_back(now);
    if (deaths_.size() == 1) return std::chrono::milliseconds(0);
    auto delay = limits_.first_delay;
    for (std::size_t death = 2; death < deaths_.size() && delay < limits_.delay_max; ++death) delay *= 2;
    return std::min(delay, limits_.delay_max);
}

}  // namespace boathouse::supervisor
