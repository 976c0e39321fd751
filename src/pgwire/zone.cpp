#include "pgwire/zone.hpp"

#include <chrono>

namespace boathouse::pgwire {

namespace {

// 2200-01-01. Zone files list transitions up to 2037 and a rule for what follows, which cctz unrolls for some
// centuries: beyond them lookup() still knows the offset, but next_transition() knows no next one.
constexpr std::int64_t kTransitionsEnd = 7'258'118'400;

}  // namespace

std::optional<Zone> Zone::find(const std::string& name) {
    cctz::time_zone zone;
    if (!cctz::load_time_zone(name, &zone)) return std::nullopt;
    return Zone(zone);
}

std::int32_t Zone::offset_seconds(std::int64_t epoch_seconds) const {
    if (epoch_seconds >= from_ && epoch_seconds < until_) return offset_;
    const cctz::time_point<cctz::seconds> instant{cctz::seconds(epoch_seconds)};
    offset_ = static_cast<std::int32_t>(zone_.lookup(instant).offset);
    if (epoch_seconds >= kTransitionsEnd) {
        until_ = from_;  // nothing is cached
        return offset_;
    }
    cctz::time_zone::civil_transition transition;
    from_ = INT64_MIN;
    until_ = INT64_MAX;
    if (zone_.next_transition(instant, &transition)) {
        until_ = zone_.lookup(transition.to).trans.time_since_epoch().count();
        if (until_ <= epoch_seconds) until_ = epoch_seconds + 1;
    }
    if (zone_.prev_transition(instant + cctz::seconds(1), &transition)) {
        from_ = zone_.lookup(transition.to).trans.time_since_epoch().count();
        if (from_ > epoch_seconds) from_ = epoch_seconds;
    }
    return offset_;
}

}  // namespace boathouse::pgwire
