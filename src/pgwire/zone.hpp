// A session's time zone: what a wall clock there shows at an instant.
//
// A small value with a cache of the last answer's span, so that a column of instants costs one look-up a span and not
// one a value; one thread at a time. The zones are the system's (tzdata).
#pragma once

#include <cctz/time_zone.h>

#include <cstdint>
#include <optional>
#include <string>

namespace boathouse::pgwire {

class Zone {
  public:
    Zone() : zone_(cctz::utc_time_zone()) {}

    // "Europe/Berlin", "UTC"; nullopt if the system knows no such zone.
    static std::optional<Zone> find(const std::string& name);

    // Seconds east of Greenwich.
    std::int32_t offset_seconds(std::int64_t epoch_seconds) const;

  private:
    explicit Zone(cctz::time_zone zone) : zone_(zone) {}

    cctz::time_zone zone_;
    mutable std::int64_t from_ = 1;  // the cached span; empty at first
    mutable std::int64_t until_ = 0;
    mutable std::int32_t offset_ = 0;
};

}  // namespace boathouse::pgwire
