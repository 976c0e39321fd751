// What sessions share of the result cache: the kept answers, and the check that tells which are good.
//
// The service owns it; it outlives the SQL door. Any thread.
#pragma once

#include "cache/descriptions.hpp"
#include "cache/newest_snapshot.hpp"
#include "cache/results.hpp"
#include "engine/lake_moment.hpp"

namespace boathouse::cache {

struct Answers {
    Answers(catalog::Endpoint endpoint, Results::Limits limits) : newest(std::move(endpoint)), results(limits) {}

    NewestSnapshot newest;
    Results results;
    Descriptions descriptions;
};

// For sessions of the engine; nothing without answers, or where the catalog gives none.
inline std::optional<engine::LakeMoment> newest_moment(Answers* answers) {
    if (answers == nullptr) return std::nullopt;
    const auto newest = answers->newest.ask();
    if (!newest) return std::nullopt;
    return engine::LakeMoment{newest->snapshot, newest->schema};
}

}  // namespace boathouse::cache
