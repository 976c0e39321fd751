#include "gateway/log_in_throttle.hpp"

#include <algorithm>

namespace boathouse::gateway {

using std::chrono::milliseconds;

namespace {

// PostgreSQL's names have no more bytes; a client may send thousands.
constexpr std::size_t kNameBytesMax = 63;

std::string key_of(const std::string& address, const std::string& user) {
    return address + ' ' + user.substr(0, kNameBytesMax);
}

}  // namespace

milliseconds LogInThrottle::penalty(int failures) {
    const int doublings = std::min(failures - 1, 10);
    return std::min(kFirstPenalty * (1 << doublings), kPenaltyMax);
}

std::optional<milliseconds> LogInThrottle::wait(const std::string& address, const std::string& user) {
    const std::lock_guard lock(mutex_);
    const auto entry = records_.find(key_of(address, user));
    if (entry == records_.end()) return milliseconds(0);
    Record& record = entry->second;
    const Time now = clock_.steady_now();
    if (now - record.last_failure > kFailuresForgottenAfter) {
        records_.erase(entry);
        return milliseconds(0);
    }
    const Time turn = std::max(now, record.next_turn);
    if (turn - now > kThrottleWaitMax) return std::nullopt;
    record.next_turn = turn + penalty(record.failures);
    return std::chrono::ceil<milliseconds>(turn - now);
}

void LogInThrottle::failed(const std::string& address, const std::string& user) {
    const std::lock_guard lock(mutex_);
    const Time now = clock_.steady_now();
    const std::string key = key_of(address, user);
    if (!records_.contains(key)) make_room(now);
    Record& record = records_[key];
    ++record.failures;
    record.last_failure = now;
    record.next_turn = std::max(record.next_turn, now + penalty(record.failures));
}

void LogInThrottle::succeeded(const std::string& address, const std::string& user) {
    const std::lock_guard lock(mutex_);
    records_.erase(key_of(address, user));
}

// REQUIRES: mutex_ is held.
void LogInThrottle::make_room(Time now) {
    if (records_.size() < kThrottledMax) return;
    std::erase_if(records_,
                  [now](const auto& entry) { return now - entry.second.last_failure > kFailuresForgottenAfter; });
    if (records_.size() < kThrottledMax) return;
    records_.erase(std::min_element(records_.begin(), records_.end(), [](const auto& left, const auto& right) {
        const Record& a = left.second;
        const Record& b = right.second;
        return a.failures != b.failures ? a.failures < b.failures : a.last_failure < b.last_failure;
    }));
}

}  // namespace boathouse::gateway
