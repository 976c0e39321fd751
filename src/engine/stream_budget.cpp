#include "engine/stream_budget.hpp"

#include <algorithm>
#include <utility>

namespace boathouse::engine {

StreamBudget::Share::Share(Share&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

StreamBudget::Share& StreamBudget::Share::operator=(Share&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

StreamBudget::Share::~Share() {
    if (!budget_) return;
    const std::lock_guard lock(budget_->mutex_);
    const std::size_t repaid = std::min(bytes_, budget_->overdrawn_);
    budget_->overdrawn_ -= repaid;
    budget_->free_bytes_ += bytes_ - repaid;
}

StreamBudget::Share StreamBudget::take() {
    const std::lock_guard lock(mutex_);
    const std::size_t bytes = std::clamp(free_bytes_ / 2, kShareBytesMin, kShareBytesMax);
    const std::size_t covered = std::min(bytes, free_bytes_);
    free_bytes_ -= covered;
    overdrawn_ += bytes - covered;
    return {*this, bytes};
}

}  // namespace boathouse::engine
