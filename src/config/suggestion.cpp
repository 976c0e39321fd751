#include "config/suggestion.hpp"

#include <algorithm>

namespace boathouse::config {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[a.size()][b.size()];
}

std::string nearest(std::string_view unknown, const std::vector<std::string>& known) {
    constexpr std::size_t kLongestName = 64;  // beyond it nobody mistyped a name of ours
    if (unknown.size() > kLongestName) return "";
    std::string best;
    std::size_t best_distance = kLongestName;
    for (const std::string& name : known) {
        const std::size_t distance = edit_distance(unknown, name);
        if (distance < best_distance && distance <= std::max<std::size_t>(1, name.size() / 3)) {
            best = name;
            best_distance = distance;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view unknown, const std::vector<std::string>& known) {
    const std::string name = nearest(unknown, known);
    return name.empty() ? "" : " (did you mean " + name + "?)";
}

}  // namespace boathouse::config
