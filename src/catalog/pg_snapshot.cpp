#include "catalog/pg_snapshot.hpp"

#include <charconv>
#include <string_view>

namespace boathouse::catalog {
namespace {

// Numbers that others have and that were not used up by then: more are no snapshot worth waiting for.
constexpr std::uint64_t kSkippedMax = 100;

}  // namespace

std::string snapshot_with(const std::string& snapshot, std::uint64_t transaction) {
    const std::size_t first = snapshot.find(':');
    const std::size_t second = first == std::string::npos ? first : snapshot.find(':', first + 1);
    if (second == std::string::npos) return {};
    std::uint64_t next = 0;  // that had not been given out, or was not over, when the snapshot was taken
    const auto [end, failed] = std::from_chars(snapshot.data() + first + 1, snapshot.data() + second, next);
    if (failed != std::errc() || end != snapshot.data() + second) return {};
    if (transaction < next || transaction - next > kSkippedMax) return {};
    std::string running = snapshot.substr(second + 1);
    std::string oldest = running.empty() ? "" : snapshot.substr(0, first);
    for (; next < transaction; ++next) {
        const std::string number = std::to_string(next);
        if (oldest.empty()) oldest = number;
        running += (running.empty() ? "" : ",") + number;
    }
    const std::string after = std::to_string(transaction + 1);
    return (oldest.empty() ? after : oldest) + ":" + after + ":" + running;
}

}  // namespace boathouse::catalog
