#include "gateway/portals.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using engine::QueryError;

Outcome<void> Portals::check_new(const std::string& name) const {
    if (!name.empty() && by_name_.contains(name)) return QueryError{"42P03", "cursor \"" + name + "\" already exists"};
    if (by_name_.size() >= kPortalsMax)
        return QueryError{"53400", "this session holds " + std::to_string(kPortalsMax) + " portals: close some"};
    return {};
}

Portal& Portals::add(const std::string& name, Portal portal) {
    portal.number = ++next_number_;
    return by_name_.insert_or_assign(name, std::move(portal)).first->second;
}

Portal* Portals::find(const std::string& name) {
    const auto entry = by_name_.find(name);
    return entry == by_name_.end() ? nullptr : &entry->second;
}

Outcome<void> Portals::settle_held() {
    std::erase_if(by_name_, [](const auto& entry) { return !entry.second.hold; });
    for (auto& [name, portal] : by_name_) {
        if (!portal.hold || portal.held) continue;
        if (auto settled = portal.rows->stream->settle(); !settled) return settled;
    }
    return {};
}

void Portals::end_transaction(bool committed) {
    for (auto& [name, portal] : by_name_) portal.held = portal.held || (portal.hold && committed);
    std::erase_if(by_name_, [](const auto& entry) { return !entry.second.held; });
}

void Portals::erase_since(std::uint64_t number) {
    std::erase_if(by_name_, [number](const auto& entry) { return !entry.second.held && entry.second.number > number; });
}

}  // namespace boathouse::gateway
