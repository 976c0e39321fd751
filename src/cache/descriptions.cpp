#include "cache/descriptions.hpp"

namespace boathouse::cache {

Descriptions::Look Descriptions::look(const std::string& key) {
    const std::lock_guard lock(mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
        entries_.splice(entries_.begin(), entries_, found->second);
        return {found->second->description, true};
    }
    entries_.push_front({key, nullptr});
    by_key_[entries_.front().key] = entries_.begin();
    if (entries_.size() > kDescriptionsMax) {
        by_key_.erase(entries_.back().key);
        entries_.pop_back();
    }
    return {};
}

void Descriptions::keep(const std::string& key, Description description) {
    const std::lock_guard lock(mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end())
        found->second->description = std::make_shared<const Description>(std::move(description));
}

}  // namespace boathouse::cache
