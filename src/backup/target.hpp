// What `--to` means: a backup to start from, and where PostgreSQL's recovery is to end.
//
// Pure functions of the manifests and the text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backup/manifest.hpp"
#include "backup/recovery.hpp"
#include "base/error.hpp"

namespace boathouse::backup {

struct RestorePlan {
    Manifest backup{};
    RecoveryTarget target{};
    std::string how{};  // "as of …"
    // A snapshot is found by the transaction that made it, which has to be looked up first: in this later backup, or,
    // if there is none, at the end of the archived log.
    long long snapshot = -1;  // -1: nothing has to be looked up
    std::string look_up_in{};
};

// `to`: "latest" (the newest backup), a backup's id, "end" (all that is archived), "snapshot N", or a time: 2026-11-23,
// 2026-11-23 05:42, 2026-11-23T05:42:05.25Z, with +02:00 for another zone than UTC. Errors: not_found (nothing is old
// enough, or no such backup), configuration (no such thing).
Result<RestorePlan> plan_restore(const std::vector<Manifest>& manifests, const std::string& to);

// Seconds since 1970; nothing where it is no time.
std::optional<double> parse_time(const std::string& text);

}  // namespace boathouse::backup
