#include "keeper/file_hold.hpp"

namespace boathouse::keeper {
namespace {

// "boathou" and one more: nobody else's lock by accident.
constexpr const char* kHold = "SELECT pg_catalog.pg_advisory_lock_shared(7089056989193793909)";
constexpr const char* kBegin = "SELECT pg_catalog.pg_try_advisory_lock(7089056989193793909)";
constexpr const char* kEnd = "SELECT pg_catalog.pg_advisory_unlock(7089056989193793909)";

}  // namespace

Status hold_files(catalog::Connection& box) {
    const auto held = box.query(kHold);
    return held ? Status() : Status(held.error());
}

Result<bool> begin_deleting(catalog::Connection& box) {
    const auto taken = box.query(kBegin);
    if (!taken) return taken.error();
    return taken->at(0).at(0) == "t";
}

Status end_deleting(catalog::Connection& box) {
    const auto ended = box.query(kEnd);
    return ended ? Status() : Status(ended.error());
}

}  // namespace boathouse::keeper
