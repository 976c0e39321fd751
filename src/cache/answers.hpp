// What sessions share of the result cache: the kept answers, and the check that tells which are good.
//
// The service owns it; it outlives the SQL door. Any thread.
#pragma once

#include "cache/descriptions.hpp"
#include "cache/newest_snapshot.hpp"
#include "cache/results.hpp"

namespace boathouse::cache {

struct Answers {
    Answers(catalog::Endpoint endpoint, Results::Limits limits) : newest(std::move(endpoint)), results(limits) {}

    NewestSnapshot newest;
    Results results;
    Descriptions descriptions;
};

}  // namespace boathouse::cache
