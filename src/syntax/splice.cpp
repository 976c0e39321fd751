#include "syntax/splice.hpp"

#include <algorithm>
#include <utility>

namespace boathouse::syntax {

std::size_t PositionMap::to_client(std::size_t offset) const {
    auto after = std::upper_bound(segments_.begin(), segments_.end(), offset,
                                  [](std::size_t at, const Segment& segment) { return at < segment.changed; });
    if (after == segments_.begin()) return offset;
    const Segment& segment = *--after;
    return segment.is_client_text ? segment.client + (offset - segment.changed) : segment.client;
}

void Splices::replace(std::size_t begin, std::size_t end, std::string text) {
    changes_.push_back({begin, end, std::move(text)});
}

Splices::Applied Splices::apply(std::string_view text) {
    // What is put in at a place comes before what is taken away from there on.
    std::stable_sort(changes_.begin(), changes_.end(), [](const Change& one, const Change& other) {
        return std::pair(one.begin, one.end) < std::pair(other.begin, other.end);
    });
    Applied applied;
    auto& segments = applied.positions.segments_;
    std::size_t at = 0;
    for (const Change& change : changes_) {
        segments.push_back({applied.text.size(), at, true});
        applied.text += text.substr(at, change.begin - at);
        segments.push_back({applied.text.size(), change.begin, false});
        applied.text += change.text;
        at = change.end;
    }
    segments.push_back({applied.text.size(), at, true});
    applied.text += text.substr(at);
    return applied;
}

}  // namespace boathouse::syntax
