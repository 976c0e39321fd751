#include "backup/throttle.hpp"

#include <algorithm>
#include <thread>

namespace boathouse::backup {

std::chrono::nanoseconds Throttle::wait_after(long long bytes, Time now) {
    if (bytes_a_second_ <= 0) return {};
    const std::chrono::duration<double> takes(static_cast<double>(bytes) / bytes_a_second_);
    free_at_ = std::max(free_at_, now) + std::chrono::duration_cast<std::chrono::nanoseconds>(takes);
    return free_at_ - now;
}

void Throttle::moved(long long bytes) {
    std::this_thread::sleep_for(wait_after(bytes, std::chrono::steady_clock::now()));
}

}  // namespace boathouse::backup
