#include "gateway/sql_settings.hpp"

namespace boathouse::gateway {

engine::Outcome<std::string> SqlSettings::set(const std::string& name, const std::string& value, bool local) {
    const auto change = settings_.check(name, {value});
    if (!change) return change.error();
    const std::lock_guard lock(mutex_);
    wishes_.push_back({*change, local});
    return change->value;
}

std::vector<SqlSettings::Wish> SqlSettings::take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(wishes_, {});
}

}  // namespace boathouse::gateway
