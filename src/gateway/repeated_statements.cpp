#include "gateway/repeated_statements.hpp"

#include <algorithm>

namespace boathouse::gateway {

std::shared_ptr<engine::Prepared> RepeatedStatements::find(std::string_view text) const {
    for (const Entry& entry : entries_) {
        if (entry.plan && entry.text == text) return entry.plan;
    }
    return nullptr;
}

bool RepeatedStatements::is_repeated(std::string_view text) {
    if (text.size() > kTextBytesMax) return false;
    if (std::any_of(entries_.begin(), entries_.end(), [text](const Entry& entry) { return entry.text == text; }))
        return true;
    if (entries_.size() == kTextsMax) entries_.erase(entries_.begin());
    entries_.push_back({std::string(text), nullptr});
    return false;
}

void RepeatedStatements::keep(std::string_view text, std::shared_ptr<engine::Prepared> plan) {
    for (Entry& entry : entries_) {
        if (entry.text == text) entry.plan = std::move(plan);
    }
}

}  // namespace boathouse::gateway
