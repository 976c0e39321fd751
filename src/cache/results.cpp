#include "cache/results.hpp"

#include <chrono>

namespace boathouse::cache {
namespace {

// How soon whoever waits notices that he is interrupted.
constexpr std::chrono::milliseconds kInterruptionCheck{20};

std::size_t size_of(const std::string& key, const KeptAnswer& answer) {
    constexpr std::size_t kEntryBytes = 256;  // the containers' own
    std::size_t bytes = kEntryBytes + key.size() + answer.rows.size() + answer.tag.size();
    for (const pgwire::ColumnDescription& column : answer.columns) bytes += sizeof(column) + column.name.size();
    return bytes;
}

}  // namespace

struct Results::Flight {
    long long snapshot = 0;
    bool is_over = false;  // under the Results' mutex
};

long long Results::Computation::snapshot() const {
    return flight_ ? flight_->snapshot : 0;
}

void Results::Computation::let_go() {
    if (!flight_) return;
    const std::lock_guard lock(results_.mutex_);
    flight_->is_over = true;
    const auto entry = results_.flights_.find(key_);
    if (entry != results_.flights_.end() && entry->second == flight_) results_.flights_.erase(entry);
    flight_.reset();
    results_.landed_.notify_all();
}

void Results::Computation::give_up() {
    {
        const std::lock_guard lock(results_.mutex_);
        results_.see_locked(key_);
        results_.sights_[std::hash<std::string>()(key_)] = false;
    }
    let_go();
}

void Results::Computation::keep(KeptAnswer answer) {
    results_.insert(key_, std::move(answer));
    let_go();
}

// True: it has been seen before, and its answer may be kept.
bool Results::see_locked(const std::string& key) {
    const std::size_t hash = std::hash<std::string>()(key);
    const auto [sight, is_first] = sights_.try_emplace(hash, true);
    if (!is_first) return sight->second;
    sights_in_order_.push_back(hash);
    if (sights_in_order_.size() > kSightsMax) {
        sights_.erase(sights_in_order_.front());
        sights_in_order_.pop_front();
    }
    return false;
}

Results::Look Results::look(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto entry = by_key_.find(key);
    if (entry != by_key_.end()) {
        if (!entry->second->answer->snapshot) return {hit_locked(entry->second), true};
        return {nullptr, true};
    }
    return {nullptr, see_locked(key)};
}

std::shared_ptr<const KeptAnswer> Results::peek(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto entry = by_key_.find(key);
    return entry == by_key_.end() ? nullptr : entry->second->answer;
}

void Results::count_hit(const std::string& key) {
    const std::lock_guard lock(mutex_);
    if (const auto entry = by_key_.find(key); entry != by_key_.end()) hit_locked(entry->second);
}

std::shared_ptr<const KeptAnswer> Results::hit_locked(Entries::iterator entry) {
    ++counts_.hits;
    entries_.splice(entries_.begin(), entries_, entry);
    return entry->answer;
}

void Results::erase_locked(Entries::iterator entry) {
    counts_.bytes -= entry->bytes;
    by_key_.erase(entry->key);
    entries_.erase(entry);
}

Results::Turn Results::join(const std::string& key, long long snapshot) {
    const std::lock_guard lock(mutex_);
    Turn turn;
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) {
        const Entries::iterator entry = found->second;
        const auto& kept = entry->answer->snapshot;
        if (!kept || *kept == snapshot) {
            turn.answer = hit_locked(entry);
            return turn;
        }
        // One of a newer snapshot stays for those who ask later.
        if (*kept < snapshot) {
            ++counts_.stale;
            erase_locked(entry);
        }
    }
    const auto [flight, is_new] = flights_.try_emplace(key);
    if (!is_new && flight->second->snapshot >= snapshot) {
        turn.flight = flight->second;
        return turn;
    }
    ++counts_.misses;
    // One for an older snapshot goes on, but nobody waits for it any more.
    flight->second = std::make_shared<Flight>();
    flight->second->snapshot = snapshot;
    turn.computation = std::make_unique<Computation>(*this, key, flight->second);
    return turn;
}

void Results::wait(const Flight& flight, const std::function<bool()>& is_interrupted) {
    std::unique_lock lock(mutex_);
    while (!landed_.wait_for(lock, kInterruptionCheck, [&flight] { return flight.is_over; })) {
        if (is_interrupted()) return;
    }
}

void Results::insert(const std::string& key, KeptAnswer answer) {
    const std::size_t bytes = size_of(key, answer);
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) {
        const auto& kept = found->second->answer->snapshot;
        if (!kept || (answer.snapshot && *kept > *answer.snapshot)) return;
        erase_locked(found->second);
    }
    if (bytes > limits_.bytes_max) return;
    while (counts_.bytes + bytes > limits_.bytes_max) {
        ++counts_.evicted;
        erase_locked(std::prev(entries_.end()));
    }
    entries_.push_front({key, std::make_shared<const KeptAnswer>(std::move(answer)), bytes});
    by_key_[entries_.front().key] = entries_.begin();
    counts_.bytes += bytes;
}

Results::Counts Results::counts() const {
    const std::lock_guard lock(mutex_);
    Counts counts = counts_;
    counts.answers = entries_.size();
    counts.bytes_max = limits_.bytes_max;
    return counts;
}

}  // namespace boathouse::cache
