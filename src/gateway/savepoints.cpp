#include "gateway/savepoints.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using engine::QueryError;

Outcome<std::size_t> Savepoints::index_of(const std::string& name) const {
    for (std::size_t i = stack_.size(); i > 0; --i) {
        if (stack_[i - 1].name == name) return i - 1;
    }
    return QueryError{"3B001", "savepoint \"" + name + "\" does not exist"};
}

Outcome<void> Savepoints::define(const std::string& name, SavepointMark mark) {
    if (stack_.size() >= kSavepointsMax)
        return QueryError{"53400", "this transaction has " + std::to_string(kSavepointsMax) +
                                       " savepoints: RELEASE some, or end the transaction"};
    stack_.push_back({name, std::move(mark)});
    return {};
}

Outcome<void> Savepoints::release(const std::string& name) {
    const auto found = index_of(name);
    if (!found) return found.error();
    stack_.resize(*found);
    return {};
}

Outcome<SavepointMark> Savepoints::find(const std::string& name) const {
    const auto found = index_of(name);
    if (!found) return found.error();
    return stack_[*found].mark;
}

Outcome<void> Savepoints::roll_back_to(const std::string& name) {
    const auto found = index_of(name);
    if (!found) return found.error();
    stack_.resize(*found + 1);
    return {};
}

bool Savepoints::reachable(std::uint64_t writes) const {
    // Marks grow with the stack: the newest is the one that may still hold.
    return !stack_.empty() && stack_.back().mark.writes == writes;
}

}  // namespace boathouse::gateway
