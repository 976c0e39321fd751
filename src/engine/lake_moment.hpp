// The lake's newest snapshot as the catalog had it at one moment, and how to ask for it: what sessions are given by
// whoever holds the shared question (cache/newest_snapshot.hpp), which lies in a folder that this one does not know.
#pragma once

#include <functional>
#include <optional>

namespace boathouse::engine {

struct LakeMoment {
    long long snapshot = 0;
    long long schema = 0;  // the version of the lake's schema
};

// Every snapshot that was committed before the call is at most the one that it gives. Blocks for a round trip to the
// catalog. Nothing: the catalog does not answer, or the client does not want to read what is kept.
using AskNewest = std::function<std::optional<LakeMoment>()>;

}  // namespace boathouse::engine
