#include "backup/target.hpp"

#include <cctz/time_zone.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace boathouse::backup {
namespace {

using Microseconds = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

// The newest backup that `fits`; nothing where none does.
template <class Fits>
const Manifest* newest(const std::vector<Manifest>& manifests, const Fits& fits) {
    const auto found = std::find_if(manifests.rbegin(), manifests.rend(), fits);
    return found == manifests.rend() ? nullptr : &*found;
}

RestorePlan of_backup(const Manifest& manifest) {
    return {.backup = manifest, .target = {}, .how = "as of the backup " + manifest.id};
}

Result<RestorePlan> of_time(const std::vector<Manifest>& manifests, double unix_seconds, const std::string& to) {
    const Manifest* base = newest(manifests, [&](const Manifest& m) { return m.finished_unix <= unix_seconds; });
    if (base == nullptr) {
        return Error{ErrorKind::not_found,
                     "the oldest backup ended at " + utc_text(manifests.front().finished_unix) + ", after " + to,
                     "Only what came later can be restored.", ""};
    }
    const Microseconds moment{std::chrono::microseconds(static_cast<long long>(unix_seconds * 1e6))};
    const std::string text = cctz::format("%Y-%m-%d %H:%M:%E6S+00", moment, cctz::utc_time_zone());
    return RestorePlan{
        .backup = *base, .target = {RecoveryTarget::Kind::time, text}, .how = "as of " + utc_text(unix_seconds)};
}

Result<RestorePlan> of_snapshot(const std::vector<Manifest>& manifests, long long snapshot) {
    const std::string how = fmt::format("as of snapshot {}", snapshot);
    const Manifest* exact = newest(
        manifests, [&](const Manifest& m) { return m.snapshot_before == snapshot && m.snapshot_after == snapshot; });
    if (exact != nullptr) return RestorePlan{.backup = *exact, .target = {}, .how = how};
    const Manifest* base = newest(manifests, [&](const Manifest& m) { return m.snapshot_after < snapshot; });
    if (base == nullptr) {
        return Error{ErrorKind::not_found,
                     fmt::format("no backup is from before snapshot {}: the oldest holds snapshot {}", snapshot,
                                 manifests.front().snapshot_after),
                     "Only what came later can be restored.", ""};
    }
    RestorePlan plan{.backup = *base, .target = {RecoveryTarget::Kind::transaction, ""}, .how = how};
    plan.snapshot = snapshot;
    const auto later = std::find_if(manifests.begin(), manifests.end(),
                                    [&](const Manifest& m) { return m.snapshot_before >= snapshot; });
    if (later != manifests.end()) plan.look_up_in = later->id;
    return plan;
}

std::optional<long long> snapshot_number(const std::string& to) {
    constexpr std::string_view kWord = "snapshot ";
    if (!to.starts_with(kWord)) return std::nullopt;
    long long number = 0;
    const auto [end, code] = std::from_chars(to.data() + kWord.size(), to.data() + to.size(), number);
    if (code != std::errc() || end != to.data() + to.size() || number < 0) return std::nullopt;
    return number;
}

}  // namespace

std::optional<double> parse_time(const std::string& text) {
    static constexpr std::array kDays{"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%E*S"};
    static constexpr std::array kZones{"", "%Ez", " %Ez"};
    std::string spaced = text;
    std::replace(spaced.begin(), spaced.end(), 'T', ' ');
    for (const char* day : kDays) {
        for (const char* zone : kZones) {
            Microseconds moment;
            if (!cctz::parse(std::string(day) + zone, spaced, cctz::utc_time_zone(), &moment)) continue;
            return std::chrono::duration<double>(moment.time_since_epoch()).count();
        }
    }
    return std::nullopt;
}

Result<RestorePlan> plan_restore(const std::vector<Manifest>& manifests, const std::string& to) {
    if (manifests.empty()) {
        return Error{ErrorKind::not_found, "there is no backup yet", "`boathouse backup create` makes one.", ""};
    }
    if (to == "latest") return of_backup(manifests.back());
    if (to == "end") {
        return RestorePlan{.backup = manifests.back(),
                           .target = {RecoveryTarget::Kind::end, ""},
                           .how = "as of the end of the archived log"};
    }
    for (const Manifest& manifest : manifests) {
        if (manifest.id == to) return of_backup(manifest);
    }
    if (const auto snapshot = snapshot_number(to)) return of_snapshot(manifests, *snapshot);
    if (const auto time = parse_time(to)) return of_time(manifests, *time, to);
    return Error{ErrorKind::configuration, "\"" + to + "\" is no backup that is there, no snapshot and no time",
                 "Say latest, end, an id that `boathouse backup list` shows, 'snapshot 42', or a time such as "
                 "'2026-11-23 05:42:05Z'.",
                 ""};
}

}  // namespace boathouse::backup
